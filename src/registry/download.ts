import { UserError } from '../errors.ts'
import { checked, slice } from './digest.ts'
import type { Reply } from './exchange.ts'
import { RegistryError } from './failure.ts'
import { newHope } from './patience.ts'
import type { Opened } from './repository.ts'

/** So much more than before is progress: less might never end. */
const PROGRESS = 1024 * 1024

type Wanted = { readonly digest: string; readonly size: number }

/** The bytes of a blob, checked against digest and size. Where a connection breaks, the next one goes on from there. */
export function readChecked(opened: Opened, blob: Wanted): AsyncIterable<Uint8Array> {
  return checked(readOn(opened, blob), blob, `The blob ${blob.digest} of ${opened.name}`)
}

async function* readOn(opened: Opened, blob: Wanted): AsyncGenerator<Uint8Array, void, undefined> {
  const { patience, signal } = opened.transport
  const hope = newHope(patience, signal)
  let [offset, best] = [0, 0]
  for (let ranges = true; ;) {
    try {
      for await (const piece of readFrom(opened, blob, { offset, ranges })) {
        offset += piece.byteLength
        yield piece
      }
      if (offset >= blob.size) return
      throw new RegistryError(
        `The blob ${blob.digest} of ${opened.name} ends after ${offset} of ${blob.size} bytes; refused`,
        { passing: true },
      )
    } catch (error) {
      if (offset >= best + PROGRESS) {
        hope.gain()
        best = offset
      }
      // Not every registry that has ranges takes ours: then all of it comes again, and what we have is skipped.
      const refused = ranges && error instanceof RegistryError && error.status === 416
      if (refused) ranges = false
      else await hope.lose(error)
    }
  }
}

/** One connection: the bytes from `offset` on, or all where no range is asked for, until it ends or breaks. */
async function* readFrom(
  { transport, name, call }: Opened,
  blob: Wanted,
  { offset, ranges }: { readonly offset: number; readonly ranges: boolean },
): AsyncGenerator<Uint8Array, void, undefined> {
  const range =
    offset === 0 || !ranges ? {} : { headers: { range: `bytes=${offset}-${blob.size - 1}` } }
  const get = { ...call('reading', 'GET', `blobs/${blob.digest}`), ...range }
  const reply = await transport.attempt(get)
  try {
    if (reply.status === 404) throw new UserError(`${name} has no blob ${blob.digest}`)
    if (reply.status !== 200 && reply.status !== 206) throw await transport.explain(reply, get)
    const start = startOf(reply)
    checkLength(reply, { name, blob, start })
    if (start > offset)
      throw new UserError(
        `${name}: asked for ${blob.digest} from ${offset} on, got ${start}; refused`,
      )
    yield* slice(reply.body, offset - start, Number.POSITIVE_INFINITY)
  } finally {
    await reply.leave()
  }
}

/** Where the bytes of a reply begin: a registry that knows no ranges sends all of them again. */
function startOf(reply: Reply): number {
  if (reply.status === 200) return 0
  const [, start] = /^bytes (\d+)-/.exec(reply.header('content-range') ?? '') ?? []
  return start === undefined ? Number.POSITIVE_INFINITY : Number(start)
}

function checkLength(
  reply: Reply,
  { name, blob, start }: { readonly name: string; readonly blob: Wanted; readonly start: number },
): void {
  const encoding = reply.header('content-encoding') ?? 'identity'
  if (encoding !== 'identity')
    throw new UserError(`${name}: ${blob.digest} came with the encoding ${encoding}; refused`)
  const length = reply.header('content-length')
  if (length !== undefined && Number(length) !== blob.size - start)
    throw new UserError(
      `${name}: ${blob.digest} should have ${blob.size} bytes, the registry has ${start + Number(length)}; refused`,
    )
}
