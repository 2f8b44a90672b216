import { UserError } from '../errors.ts'

/** One input of an action, and the flag of the same name of the CLI. */
export type InputSpec =
  | { readonly type: 'text'; readonly required?: boolean; readonly default?: string }
  | { readonly type: 'list'; readonly required?: boolean; readonly default?: string }
  | { readonly type: 'flag'; readonly default: 'true' | 'false' }
  | { readonly type: 'seconds'; readonly default: string }
  | {
      readonly type: 'choice'
      readonly allowed: readonly [string, ...string[]]
      readonly required?: boolean
      readonly default?: string
    }

export type InputSpecs = Readonly<Record<string, InputSpec>>

type ValueOf<S extends InputSpec> = S extends { readonly type: 'choice' }
  ? S['allowed'][number]
  : S extends { readonly type: 'list' }
    ? readonly string[]
    : S extends { readonly type: 'flag' }
      ? boolean
      : S extends { readonly type: 'seconds' }
        ? number
        : string

/** The parsed inputs: one readonly object, typed by the specification. */
export type Inputs<S extends InputSpecs> = { readonly [K in keyof S]: ValueOf<S[K]> }

const DURATION = /^(\d+)(s|m|h)?$/
const SECONDS = { s: 1, m: 60, h: 3600 } as const
const LONGEST_S = 6 * 3600

/** Parses all inputs and reports every wrong one at once: its name, its value and what is allowed. */
export function parseInputs<S extends InputSpecs>(
  specs: S,
  read: (name: string) => string | undefined,
): Inputs<S> {
  const problems: string[] = []
  const values: Record<string, unknown> = {}
  for (const [name, spec] of Object.entries(specs)) {
    const given = (read(name) ?? '').trim()
    const text = given === '' ? (spec.default ?? '') : given
    if (text === '' && 'required' in spec && spec.required) problems.push(`${name} is missing`)
    else values[name] = parseValue(name, text, { spec, problems })
  }
  if (problems.length === 1) throw new UserError(`Wrong input: ${problems[0] ?? ''}`)
  if (problems.length > 1) throw new UserError(`${problems.length} inputs are wrong`, problems)
  return values as Inputs<S>
}

function parseValue(
  name: string,
  text: string,
  { spec, problems }: { readonly spec: InputSpec; readonly problems: string[] },
): unknown {
  switch (spec.type) {
    case 'text':
      return text
    case 'list':
      return text
        .split(/[\s,]+/)
        .map((item) => item.trim())
        .filter((item) => item !== '')
    case 'flag':
      if (text !== 'true' && text !== 'false')
        problems.push(`${name} is "${text}"; it may be true or false`)
      return text === 'true'
    case 'choice':
      if (text !== '' && !spec.allowed.includes(text))
        problems.push(
          `${name} is "${text}"; it may be ${spec.allowed.filter((one) => one !== '').join(', ')}`,
        )
      return text
    case 'seconds': {
      const [, count, unit = 's'] = DURATION.exec(text) ?? []
      const seconds = Number(count) * SECONDS[unit as keyof typeof SECONDS]
      if (count === undefined || seconds < 1 || seconds > LONGEST_S)
        problems.push(`${name} is "${text}"; it may be 1s to 6h, such as 300s or 5m`)
      return seconds
    }
    default:
      return spec satisfies never
  }
}
