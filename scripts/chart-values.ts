// Kinds of values: the words in which the schemas of the chart are written.

/** The part of JSON Schema that is used here. */
export type Schema = {
  readonly type: 'object' | 'array' | 'string' | 'integer' | 'boolean'
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly pattern?: string
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
}

export type Properties = Readonly<Record<string, Schema>>

export const text = (description: string, rest: Partial<Schema> = {}): Schema => ({
  type: 'string',
  description,
  ...rest,
})
export const flag = (description: string): Schema => ({ type: 'boolean', description })
export const count = (description: string, minimum: number, maximum: number): Schema => ({
  type: 'integer',
  description,
  minimum,
  maximum,
})
export const closed = (description: string, properties: Properties): Schema => ({
  type: 'object',
  description,
  additionalProperties: false,
  properties,
})

export const address = (what: string): Schema => text(what, { pattern: HTTP })

const CPU = '^([1-9][0-9]*m|[0-9]+(\\.[0-9]{1,3})?)$'
export const BYTES = '^[1-9][0-9]*(Ki|Mi|Gi|Ti)$'
const HTTP = '^https?://[^/\\s]+'
export const NAME = '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$'
export const HOST = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'
/** What may be empty too. */
export const optional = (pattern: string): string => `^$|${pattern}`

const amounts = (what: string): Schema =>
  closed(what, {
    cpu: text(`CPU that ${what}.`, { pattern: CPU }),
    memory: text(`Memory that ${what}.`, { pattern: BYTES }),
  })

export const resources = (description: string): Schema =>
  closed(description, {
    requests: amounts('the scheduler keeps free for a container'),
    limits: amounts('a container may use at most'),
  })
