import { type Cluster, reasonOf } from '../../cluster/cluster.ts'
import { listAt } from '../../json.ts'

/** Hides the values of Secrets in a text. */
export type Mask = (text: string) => string
/** Why there is no mask. */
export type NoMask = { readonly reason: string }

/** Shorter values are ordinary words; masking them would only garble the text. */
const SECRET_MIN_LENGTH = 6
/** A line of a key or a certificate; shorter ones of a longer value may be ordinary text. */
const LINE_MIN_LENGTH = 16

/** A mask for every value that the Secrets of a namespace hold now. Where they can't be read, the reason is returned instead. */
export async function openMask(namespace: string, cluster: Cluster): Promise<Mask | NoMask> {
  const answer = await cluster.call({
    method: 'GET',
    path: `/api/v1/namespaces/${namespace}/secrets`,
  })
  if (answer.status !== 200) return { reason: reasonOf(answer) }
  return maskerOf(
    listAt(answer.body, 'items').flatMap((secret) => {
      const data = (secret as { data?: Record<string, string> }).data ?? {}
      return Object.values(data).map((encoded) => Buffer.from(encoded, 'base64').toString('utf8'))
    }),
  )
}

export function isMask(mask: Mask | NoMask): mask is Mask {
  return typeof mask === 'function'
}

/** How programs write a value where it is not plain: what such text looks like, and what it stands for. */
const ENCODINGS = [
  {
    runs: /[A-Za-z0-9+/_-]{8,}={0,2}/g,
    decode: (run: string) => Buffer.from(run, 'base64').toString('utf8'),
  },
  { runs: /[^\s"'<>]*%[0-9A-Fa-f]{2}[^\s"'<>]*/g, decode: decodePercent },
] as const

/** Replaces every value, and every encoded text with one in it, by `***`. */
export function maskerOf(values: readonly string[]): Mask {
  const known = [...new Set(values.flatMap(formsOf))]
    .filter((form) => form.length >= SECRET_MIN_LENGTH)
    .sort((a, b) => b.length - a.length)
  const hasSecret = (text: string) => known.some((form) => text.includes(form))
  return (text) => {
    const plain = known.reduce((masked, form) => masked.replaceAll(form, '***'), text)
    return ENCODINGS.reduce(
      (masked, { runs, decode }) =>
        masked.replaceAll(runs, (run) => (hasSecret(decode(run)) ? '***' : run)),
      plain,
    )
  }
}

/** A value as it is and as JSON has it; its lines, and the password inside of a URL. */
function formsOf(value: string): string[] {
  const whole = value.trim()
  const lines = whole.split('\n').filter((line) => line.length >= LINE_MIN_LENGTH)
  return [value, whole, ...lines, ...passwordOf(whole)].flatMap((form) => [
    form,
    JSON.stringify(form).slice(1, -1),
  ])
}

function passwordOf(value: string): string[] {
  if (!URL.canParse(value)) return []
  const { password } = new URL(value)
  return [password, decodePercent(password)]
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // A lone percent sign: it is no encoded text.
  }
}
