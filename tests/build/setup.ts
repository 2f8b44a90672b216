import { ensureRegistryPrograms } from '../registry/programs.ts'
import { ensureCosign } from './cosign.ts'

/** Runs once, before the first test: whoever starts registries or cosign finds the programs in the environment. */
// eslint-disable-next-line import-x/no-default-export -- Jest asks for it
export default async function setUp(): Promise<void> {
  const say = (line: string) => {
    process.stdout.write(`build: ${line}\n`)
  }
  const { v2, v3, referrers } = await ensureRegistryPrograms(say)
  const programs = { REGISTRY_V2: v2, REGISTRY_V3: v3, REGISTRY_REFERRERS: referrers }
  Object.assign(process.env, { ...programs, COSIGN: await ensureCosign(say) })
}
