import { checked, slice } from './digest.ts'
import type { Reply } from './exchange.ts'
import { RegistryError } from './failure.ts'
import { newHope } from './patience.ts'
import type { Blob, Opened, Put } from './repository.ts'
import { type Call, checkedUrl } from './transport.ts'

/** An upload that a registry has begun to take. */
type Upload = {
  readonly url: URL
  /** Bytes that are there already. */
  readonly offset: number
}

/** What is sent at once: all of it, and less where a registry, or a proxy before it, takes no more. */
const PORTIONS = [Number.POSITIVE_INFINITY, 8 * 1024 * 1024, 512 * 1024] as const
/** So much more than before is progress: less might never end. */
const PROGRESS = 1024 * 1024

/**
 * Puts a blob into a repository: nothing is sent where it is there, or can be mounted from another repository of the registry.
 * Two that want to send the same blob do so one after the other, and the second has nothing left to do.
 */
export function putBlob(opened: Opened, blob: Blob): Promise<Put> {
  const { whereabouts, repository } = opened
  return whereabouts.inTurn(blob.digest, async () => {
    if (whereabouts.has(blob.digest, repository)) return 'present'
    const put = await putOnce(opened, blob)
    whereabouts.confirm(blob.digest, repository)
    return put
  })
}

async function putOnce(opened: Opened, blob: Blob): Promise<Put> {
  if (await isPresent(opened, blob)) return 'present'
  const source = opened.whereabouts.elsewhere(blob.digest, opened.repository)
  const mounted = source === undefined ? undefined : await mount(opened, blob.digest, source)
  if (mounted === 'mounted') return mounted
  await send(opened, blob, mounted)
  return 'written'
}

/** A blob of another size is a broken one: it is sent again. */
async function isPresent({ transport, call }: Opened, blob: Blob): Promise<boolean> {
  const head = call('publishing to', 'HEAD', `blobs/${blob.digest}`)
  return await transport.send(head, async (reply) => {
    if (reply.status !== 200 && reply.status !== 404) throw await transport.explain(reply, head)
    const length = Number(reply.header('content-length') ?? blob.size)
    return reply.status === 200 && length === blob.size
  })
}

/** Asks for a blob of another repository. A registry that does not give it begins an upload instead, or refuses. */
async function mount(
  opened: Opened,
  digest: string,
  from: string,
): Promise<'mounted' | Upload | undefined> {
  const path = `blobs/uploads/?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`
  try {
    return await once(opened, { ...opened.call('publishing to', 'POST', path), from }, (reply) => {
      if (reply.status === 201) return 'mounted'
      return reply.status === 202 ? begunBy(reply, opened) : undefined
    })
  } catch (error) {
    // We may have no right to read there, or the registry knows no mounting: then it is sent like any other.
    if (error instanceof RegistryError) return undefined
    throw error
  }
}

/** Sends the bytes. A connection that breaks is taken up where the registry says that it got to. */
async function send(opened: Opened, blob: Blob, begun: Upload | undefined): Promise<void> {
  const { patience, signal } = opened.transport
  const hope = newHope(patience, signal)
  const portions = [...PORTIONS]
  let upload = begun
  for (let best = 0; ;) {
    const resumed = upload !== undefined && upload.offset > 0
    try {
      upload ??= await begin(opened)
      const done = await sendRest(opened, blob, { upload, limit: portions[0] ?? 0 })
      await confirmElsewhere(opened, blob, done)
      return
    } catch (error) {
      const smaller = isTooLarge(error) && portions.length > 1
      if (smaller) portions.shift()
      await hope.lose(smaller || resumed ? hopeful(error) : error)
      if (await isPresent(opened, blob)) return
      upload = upload === undefined || smaller ? undefined : await askOffset(opened, blob, upload)
      const offset = upload?.offset ?? 0
      if (offset >= best + PROGRESS) {
        hope.gain()
        best = offset
      }
    }
  }
}

function isTooLarge(error: unknown): boolean {
  return error instanceof RegistryError && error.status === 413
}

/** A registry that refuses the rest of an upload may still take the blob from its beginning. */
function hopeful(error: unknown): unknown {
  if (!(error instanceof RegistryError) || error.status === undefined) return error
  const { message, details, status, waitMs } = error
  return new RegistryError(message, { passing: true, details, status, waitMs, cause: error })
}

/** Once: who sends counts the attempts, and would multiply those made here. */
async function begin(opened: Opened): Promise<Upload> {
  const call = opened.call('publishing to', 'POST', 'blobs/uploads/')
  return await once(opened, call, async (reply) => {
    if (reply.status !== 202) throw await opened.transport.explain(reply, call)
    return begunBy(reply, opened)
  })
}

function begunBy(reply: Reply, opened: Opened): Upload {
  if (reply.header('location') !== undefined) return uploadOf(reply, opened, 0)
  const why = `${opened.name}: the registry begins an upload and does not say where; refused`
  throw new RegistryError(why, { passing: false })
}

/** Sends what the registry lacks, in one request where it takes that, and has it take over the blob. Returns where it went. */
async function sendRest(
  opened: Opened,
  blob: Blob,
  { upload, limit }: { readonly upload: Upload; readonly limit: number },
): Promise<URL> {
  if (upload.offset === 0 && blob.size <= limit) {
    const what = `The blob ${blob.digest} for ${opened.name}`
    const open = () => checked(blob.open(0), blob, what)
    return await commit(opened, blob, { upload, body: { size: blob.size, open } })
  }
  let here = upload
  while (here.offset < blob.size) here = await sendChunk(opened, blob, { upload: here, limit })
  return await commit(opened, blob, { upload: here, body: { size: 0, open: () => EMPTY } })
}

const EMPTY = new Uint8Array()
const BYTES = { 'content-type': 'application/octet-stream' }

async function commit(
  opened: Opened,
  { digest }: Blob,
  { upload, body }: { readonly upload: Upload; readonly body: NonNullable<Call['body']> },
): Promise<URL> {
  const url = new URL(upload.url)
  // The rest of the query stays to the letter: it may be signed.
  url.search += `${url.search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`
  const call = opened.call('publishing to', 'PUT', '')
  const put = { ...call, path: url.href, headers: BYTES, body, commit: true }
  return await once(opened, put, async (reply) => {
    const stored = reply.header('docker-content-digest') ?? digest
    if (reply.status !== 201) throw await opened.transport.explain(reply, put)
    if (stored === digest) return url
    const why = `${opened.name}: ${digest} was sent, the registry stored ${stored}; refused`
    throw new RegistryError(why, { passing: false })
  })
}

async function sendChunk(
  opened: Opened,
  blob: Blob,
  { upload, limit }: { readonly upload: Upload; readonly limit: number },
): Promise<Upload> {
  const { offset, url } = upload
  const size = Math.min(blob.size - offset, limit)
  const patch: Call = {
    ...opened.call('publishing to', 'PATCH', ''),
    path: url.href,
    headers: { ...BYTES, 'content-range': `${offset}-${offset + size - 1}` },
    body: { size, open: () => slice(blob.open(offset), 0, size) },
  }
  return await once(opened, patch, async (reply) => {
    if (reply.status !== 202) throw await opened.transport.explain(reply, patch)
    return uploadOf(reply, opened, offset + size)
  })
}

/** Asks how far an upload got. Undefined where the registry does not say so, or has forgotten it. */
async function askOffset(opened: Opened, blob: Blob, upload: Upload): Promise<Upload | undefined> {
  const call = { ...opened.call('publishing to', 'GET', ''), path: upload.url.href }
  try {
    return await once(opened, call, (reply) => {
      const [, last = '0'] = /^(?:bytes=)?0-(\d+)$/.exec(reply.header('range') ?? '') ?? []
      // "0-0" is said of one byte and of none.
      const known = reply.status === 204 && last !== '0' && Number(last) < blob.size
      return known ? uploadOf(reply, opened, Number(last) + 1) : undefined
    })
  } catch (error) {
    opened.transport.signal.throwIfAborted()
    if (error instanceof RegistryError) return undefined // It begins anew; that says what is wrong.
    throw error
  }
}

/** The upload that a reply tells of. Without an address, the one that was asked goes on. */
function uploadOf(reply: Reply, { transport }: Opened, offset: number): Upload {
  const url = checkedUrl(reply.header('location') ?? '', reply.url, transport.registry)
  return { url, offset }
}

/** What went to another host than the registry is only there when the registry says so. */
async function confirmElsewhere(opened: Opened, blob: Blob, url: URL): Promise<void> {
  const { transport, name } = opened
  if (url.origin === transport.base.origin || (await isPresent(opened, blob))) return
  const why = `${name}: ${blob.digest} was sent to ${url.host}, as the registry wanted, and is not in the registry; refused`
  throw new RegistryError(why, { passing: false })
}

/** One attempt only: a body is not sent again before it is known how much of it arrived. */
async function once<T>(
  { transport }: Opened,
  call: Call,
  use: (reply: Reply) => Promise<T> | T,
): Promise<T> {
  const reply = await transport.attempt(call)
  try {
    return await use(reply)
  } finally {
    await reply.leave()
  }
}
