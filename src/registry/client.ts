import { UserError } from '../errors.ts'
import { listAt, parseJson, textAt } from '../json.ts'
import { gather, sha256 } from './digest.ts'
import { readChecked } from './download.ts'
import { RegistryError } from './failure.ts'
import { checkManifest, type Manifest, MANIFEST_LIMIT, MANIFEST_TYPES } from './manifest.ts'
import { readPages } from './pages.ts'
import type { Opened, Repository, Stored } from './repository.ts'
import { registryOf } from './session.ts'
import type { Place } from './transport.ts'
import { putBlob } from './upload.ts'

export { sha256 }
export type { Blob, Repository } from './repository.ts'
export type { Manifest }

/** Opens one repository. Nothing is sent before the first call; `signal` ends every call. */
export function openRepository(place: Place, signal: AbortSignal): Repository {
  const { transport, whereabouts } = registryOf(place.registry, signal)
  const opened: Opened = {
    transport,
    whereabouts,
    name: `${place.registry}/${place.repository}`,
    call: (doing, method, path) => ({
      repository: place.repository,
      doing,
      method,
      path: `/v2/${place.repository}/${path}`,
    }),
    repository: place.repository,
  }
  return {
    name: opened.name,
    getManifest: (reference) => getManifest(opened, reference),
    putManifest: (reference, manifest) => putManifest(opened, reference, manifest),
    getBlob: (digest, limit) => getBlob(opened, digest, limit),
    readBlob: (blob) => readChecked(opened, blob),
    putBlob: (blob) => putBlob(opened, blob),
    getReferrers: (digest, type) => readPages(opened, digest, type),
    inTurn: whereabouts.inTurn,
    together: whereabouts.together,
  }
}

async function getManifest(opened: Opened, reference: string): Promise<Manifest | undefined> {
  const { transport, whereabouts, name, repository } = opened
  const call = {
    ...opened.call('reading', 'GET', `manifests/${reference}`),
    headers: { accept: MANIFEST_TYPES.join(', ') },
  }
  const sent = await transport.send(call, async (reply) => {
    if (reply.status === 404) return undefined
    if (reply.status !== 200) throw await transport.explain(reply, call)
    const bytes = await gather(reply.body, MANIFEST_LIMIT, `the manifest ${name}`)
    return { bytes, contentType: reply.header('content-type') ?? '' }
  })
  if (sent === undefined) return undefined
  const manifest = checkManifest(sent, reference, name)
  for (const layer of listAt(parseJson(manifest.bytes.toString(), name), 'layers'))
    whereabouts.hear(textAt(layer, 'digest') ?? '', repository)
  return manifest
}

async function putManifest(
  opened: Opened,
  reference: string,
  { mediaType, bytes }: Omit<Manifest, 'digest'>,
): Promise<Stored> {
  const { transport, name } = opened
  const digest = sha256(bytes)
  const call = {
    ...opened.call('publishing to', 'PUT', `manifests/${reference}`),
    headers: { 'content-type': mediaType },
    body: { size: bytes.length, open: () => bytes },
  }
  if (bytes.length > MANIFEST_LIMIT)
    throw new UserError(`${name}: a manifest of ${bytes.length} bytes; registries take 4 MiB`)
  return await transport.send(call, async (reply) => {
    if (reply.status !== 201 && reply.status !== 202) throw await transport.explain(reply, call)
    const stored = reply.header('docker-content-digest')
    if (stored?.startsWith('sha256:') === true && stored !== digest)
      throw new RegistryError(
        `${name}: ${digest} was sent, the registry stored ${stored}; refused`,
        {
          passing: false,
        },
      )
    return { digest, subject: reply.header('oci-subject') }
  })
}

async function getBlob(
  { transport, name, call }: Opened,
  digest: string,
  limit: number,
): Promise<Buffer> {
  const get = call('reading', 'GET', `blobs/${digest}`)
  const bytes = await transport.send(get, async (reply) => {
    if (reply.status === 404) throw new UserError(`${name} has no blob ${digest}`)
    if (reply.status !== 200) throw await transport.explain(reply, get)
    return await gather(reply.body, limit, `the blob ${digest} of ${name}`)
  })
  if (sha256(bytes) !== digest)
    throw new UserError(`${name}: the bytes of ${digest} are not what was asked for; refused`)
  return bytes
}
