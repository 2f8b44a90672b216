import { createHash } from 'node:crypto'
import { UserError } from '../errors.ts'
import { parseJson, textAt } from '../json.ts'
import { openTransport, type Place, type Transport } from './transport.ts'

/** What a registry holds under a digest or a tag. */
export type Manifest = {
  readonly digest: string
  readonly mediaType: string
  readonly bytes: Buffer
}

/** One blob of known digest and size (bytes). */
export type Blob = {
  readonly digest: string
  readonly size: number
  readonly open: () => AsyncIterable<Uint8Array> | Uint8Array
}

/** A repository in a registry. Every answer is checked against the digest it was asked by. */
export type Repository = {
  readonly name: string
  getManifest: (reference: string) => Promise<Manifest | undefined>
  putManifest: (reference: string, manifest: Omit<Manifest, 'digest'>) => Promise<string>
  hasBlob: (digest: string) => Promise<boolean>
  getBlob: (digest: string, limit: number) => Promise<Buffer>
  putBlob: (blob: Blob) => Promise<'written' | 'present'>
}

/** A manifest is a page of JSON; more than this is an attack or a mistake. */
const MANIFEST_LIMIT = 4 * 1024 * 1024
const MANIFEST_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** Opens one repository. Nothing is sent before the first call; `signal` ends every call. */
export function openRepository(place: Place, signal: AbortSignal): Repository {
  const repository: Opened = {
    transport: openTransport(place, signal),
    name: `${place.registry}/${place.repository}`,
    path: (rest) => `/v2/${place.repository}/${rest}`,
  }
  return {
    name: repository.name,
    getManifest: (reference) => getManifest(repository, reference),
    putManifest: (reference, manifest) => putManifest(repository, reference, manifest),
    hasBlob: (digest) => hasBlob(repository, digest),
    getBlob: (digest, limit) => getBlob(repository, digest, limit),
    putBlob: (blob) => putBlob(repository, blob),
  }
}

type Opened = {
  readonly transport: Transport
  readonly name: string
  readonly path: (rest: string) => string
}

async function getManifest(
  { transport, name, path }: Opened,
  reference: string,
): Promise<Manifest | undefined> {
  const response = await transport.send({
    method: 'GET',
    path: path(`manifests/${reference}`),
    headers: { accept: MANIFEST_TYPES.join(', ') },
  })
  if (response.status === 404) {
    await drained(response, undefined)
    return
  }
  await expectStatus(response, [200], `reading ${name}`)
  const bytes = await readBounded(response, MANIFEST_LIMIT, `the manifest ${name}`)
  const digest = sha256(bytes)
  if (reference.startsWith('sha256:') && reference !== digest)
    throw new UserError(`${name}: asked for ${reference}, the registry sent ${digest}; refused`)
  const declared = textAt(parseJson(bytes.toString(), `the manifest ${name}`), 'mediaType')
  const mediaType = declared ?? response.headers.get('content-type') ?? ''
  return { digest, mediaType, bytes }
}

async function putManifest(
  { transport, name, path }: Opened,
  reference: string,
  manifest: Omit<Manifest, 'digest'>,
): Promise<string> {
  const response = await transport.send({
    method: 'PUT',
    path: path(`manifests/${reference}`),
    headers: { 'content-type': manifest.mediaType },
    body: () => manifest.bytes,
  })
  await expectStatus(response, [201, 202], `publishing ${name}`)
  return await drained(response, sha256(manifest.bytes))
}

async function hasBlob({ transport, name, path }: Opened, digest: string): Promise<boolean> {
  const response = await transport.send({ method: 'HEAD', path: path(`blobs/${digest}`) })
  if (response.status !== 404) await expectStatus(response, [200], `reading ${name}`)
  return await drained(response, response.status === 200)
}

async function getBlob(
  { transport, name, path }: Opened,
  digest: string,
  limit: number,
): Promise<Buffer> {
  const response = await transport.send({ method: 'GET', path: path(`blobs/${digest}`) })
  if (response.status === 404) throw new UserError(`${name} has no blob ${digest}`)
  await expectStatus(response, [200], `reading ${name}`)
  const bytes = await readBounded(response, limit, `the blob ${digest} of ${name}`)
  if (sha256(bytes) !== digest)
    throw new UserError(`${name}: the bytes of ${digest} are not what was asked for; refused`)
  return bytes
}

async function putBlob(repository: Opened, blob: Blob): Promise<'written' | 'present'> {
  const { transport, name, path } = repository
  if (await hasBlob(repository, blob.digest)) return 'present'
  const begun = await transport.send({ method: 'POST', path: path('blobs/uploads/') })
  await expectStatus(begun, [202], `publishing to ${name}`)
  const target = new URL(begun.headers.get('location') ?? '', transport.base)
  await begun.body?.cancel()
  target.searchParams.set('digest', blob.digest)
  const written = await transport.send({
    method: 'PUT',
    path: target.href,
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(blob.size) },
    body: blob.open,
  })
  await expectStatus(written, [201], `publishing to ${name}`)
  return await drained(written, 'written')
}

async function expectStatus(
  response: Response,
  wanted: readonly number[],
  doing: string,
): Promise<void> {
  if (wanted.includes(response.status)) return
  const text = (await response.text()).slice(0, 400)
  const why =
    response.status === 401 || response.status === 403
      ? 'the login has no permission for it'
      : `the registry answered ${response.status}`
  throw new UserError(`${doing}: ${why}`, text === '' ? [] : [text])
}

async function drained<T>(response: Response, value: T): Promise<T> {
  await response.body?.cancel()
  return value
}

async function readBounded(response: Response, limit: number, what: string): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  const body: AsyncIterable<Uint8Array> | undefined = response.body ?? undefined
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > limit) throw new UserError(`${what} is larger than ${limit} bytes; refused`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
