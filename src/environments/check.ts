import { checkOf } from '../schema.ts'
import { schema } from './schema.ts'

export const faultsOfFile = checkOf(schema)
