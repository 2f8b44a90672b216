/** Where the backend is: read at each request, so that one image serves every environment. */
export function getBackendUrl(): string {
  return (process.env.BACKEND_URL ?? 'http://backend-service:8000').replace(/\/+$/, '')
}

/** Longer than the backend waits for its agent, so that its own words about that arrive here. */
const PATIENCE_MS = 75_000

/** Returns the backend's answer; a 502 or 504 in the same shape when there is none. */
export async function askBackend(path: string, init: RequestInit): Promise<Response> {
  const deadline = AbortSignal.timeout(PATIENCE_MS)
  const signal = init.signal ? AbortSignal.any([init.signal, deadline]) : deadline
  try {
    return await fetch(getBackendUrl() + path, {
      ...init,
      signal,
      redirect: 'manual',
      cache: 'no-store',
    })
  } catch {
    // The cause may hold addresses of the inside; a person at a browser can only try again.
    if (deadline.aborted) return refuse(504, 'The server took too long to answer; try again.')
    return refuse(502, 'The server cannot be reached now; try again in a moment.')
  }
}

/** Returns a refusal in the shape that the backend uses. */
export function refuse(status: number, detail: string): Response {
  return Response.json({ detail }, { status })
}
