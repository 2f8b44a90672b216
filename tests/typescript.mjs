import { stripTypeScriptTypes } from 'node:module'

/** Jest's transform: the very type stripping with which Node runs these files, so tests and programs run the same code. */
export default {
  process: (source) => ({ code: stripTypeScriptTypes(source) }),
}
