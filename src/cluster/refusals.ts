import { textAt } from '../json.ts'
import { missingRight } from './rights.ts'

/** Why a server refuses to write, in a word that machines may act on; docs/causes.md explains each. */
export const REFUSAL_CODES = [
  'rights-missing',
  'quota-exceeded',
  'webhook-unavailable',
  'admission-denied',
  'field-immutable',
  'field-conflict',
  'service-account-missing',
  'namespace-missing',
  'manifest-invalid',
  'write-refused',
] as const

export type RefusalCode = (typeof REFUSAL_CODES)[number]

/** The server's own words and those of the admission plugins that come with it. The first that fits is it. */
const WORDS: readonly (readonly [RefusalCode, RegExp])[] = [
  // Limit ranges are a kind of quota to whoever meets one.
  [
    'quota-exceeded',
    /exceeded quota|failed quota|(maximum|minimum) \S+ usage per|max limit to request ratio/i,
  ],
  ['webhook-unavailable', /failed calling webhook|conversion webhook .* failed/i],
  [
    'admission-denied',
    /admission webhook .* denied|denied the request|denied request|violates PodSecurity|ValidatingAdmissionPolicy|is forbidden: .*(policy|not allowed)/i,
  ],
  [
    'field-immutable',
    /field is immutable|may not be (changed|updated)|updates to \S+ spec for fields other than|cannot be (changed|updated)|is immutable/i,
  ],
  ['service-account-missing', /service ?account .*not found|error looking up service account/i],
  ['namespace-missing', /namespaces? "[^"]*" (not found|is being terminated)|being terminated/i],
]

/** The code of an answer of 400 or more. */
export function codeOfRefusal(answer: {
  readonly status: number
  readonly body: unknown
  readonly text: string
}): RefusalCode {
  if (missingRight(answer) !== undefined) return 'rights-missing'
  const found = codeOfWords(textAt(answer.body, 'message') ?? answer.text)
  if (found !== undefined) return found
  if (answer.status === 409) return 'field-conflict'
  return answer.status === 400 || answer.status === 422 ? 'manifest-invalid' : 'write-refused'
}

/** The code of what a controller repeats of such an answer in a condition or an event. */
export function codeOfWords(message: string): RefusalCode | undefined {
  return WORDS.find(([, words]) => words.test(message))?.[0]
}
