import { ensureRegistryPrograms } from './programs.ts'

/** Runs once, before the first test: whoever starts registries finds their programs in the environment. */
// eslint-disable-next-line import-x/no-default-export -- Jest asks for it
export default async function setUp(): Promise<void> {
  const { v2, v3, referrers } = await ensureRegistryPrograms((line) => {
    process.stdout.write(`registry: ${line}\n`)
  })
  Object.assign(process.env, { REGISTRY_V2: v2, REGISTRY_V3: v3, REGISTRY_REFERRERS: referrers })
}
