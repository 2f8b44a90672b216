import { UserError } from './errors.ts'

/** JSON data that came from outside and is not narrowed yet. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export type JsonObject = { readonly [key: string]: Json | undefined }

/** Parses JSON text; `what` names the source in the error. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UserError(`${what} is not valid JSON`, [text.slice(0, 400)], { cause: error })
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value below `keys`, or undefined where any step is missing. */
export function at(value: unknown, ...keys: readonly (string | number)[]): unknown {
  let here: unknown = value
  for (const key of keys) {
    if (Array.isArray(here) && typeof key === 'number') here = here[key]
    else if (isObject(here)) here = here[key]
    else return undefined
  }
  return here
}

export function textAt(value: unknown, ...keys: readonly (string | number)[]): string | undefined {
  const found = at(value, ...keys)
  return typeof found === 'string' ? found : undefined
}

export function numberAt(
  value: unknown,
  ...keys: readonly (string | number)[]
): number | undefined {
  const found = at(value, ...keys)
  return typeof found === 'number' ? found : undefined
}

export function listAt(value: unknown, ...keys: readonly (string | number)[]): readonly unknown[] {
  const found = at(value, ...keys)
  return Array.isArray(found) ? found : []
}

/** JSON with sorted keys: equal data is equal text, whatever order it was made in. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, held: unknown) =>
    isObject(held)
      ? Object.fromEntries(Object.entries(held).sort(([a], [b]) => (a < b ? -1 : 1)))
      : held,
  )
}
