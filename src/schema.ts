import { Ajv, type ErrorObject } from 'ajv'

/** What is wrong with data by a JSON Schema: nothing, or all of it. */
export type SchemaCheck = ((data: unknown) => readonly ErrorObject[]) & {
  readonly schema: object
}

/** The schemas are ours, and tests hold them against their own schema: compiling them does not. */
export const SCHEMA_OPTIONS = {
  ...{ allErrors: true, strict: false, meta: false, validateSchema: false },
  code: { optimize: false },
} as const

/** A check that is compiled when it is used first. In a bundle it has been compiled before: see `scripts/build.ts`. */
export function checkOf(schema: object): SchemaCheck {
  let validate: ReturnType<Ajv['compile']> | undefined
  const check = (data: unknown) => {
    validate ??= new Ajv(SCHEMA_OPTIONS).compile(schema)
    return validate(data) ? [] : (validate.errors ?? [])
  }
  return Object.assign(check, { schema })
}
