import { getBackendUrl } from '../../../server/backend.ts'

export const dynamic = 'force-dynamic'

/** A probe must answer before Kubernetes gives it up. */
const PROBE_MS = 2_000

// The backend's health, not its readiness: without a database our pages still say what is wrong.
export async function GET(): Promise<Response> {
  const isReady = await fetch(`${getBackendUrl()}/health`, {
    signal: AbortSignal.timeout(PROBE_MS),
    cache: 'no-store',
  }).then(
    (response) => response.ok,
    () => false,
  )
  const body = {
    status: isReady ? 'ok' : 'unavailable',
    backend: isReady ? 'ok' : 'unreachable',
  }
  return Response.json(body, { status: isReady ? 200 : 503 })
}
