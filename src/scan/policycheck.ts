import { checkOf } from '../schema.ts'
import { policySchema } from './policyschema.ts'

export const faultsOfPolicy = checkOf(policySchema)
