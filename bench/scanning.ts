// Scans the five images in a folder of layouts the way build-images does, as a program of its own. What is in the cache folder is known.
import { join } from 'node:path'
import { plainVoice, showProgress } from '../src/edge/terminal.ts'
import { cancelSignal, inRealWorld } from '../src/edge/world.ts'
import { readLayout, type LayoutImage } from '../src/registry/layout.ts'
import { defaultPolicy } from '../src/scan/policy.ts'
import { openDatabase } from '../src/scan/scanner.ts'
import { scanAll } from '../src/build/scans.ts'
import { IMAGES } from './workplace.ts'

const [folder = '', cacheFolder = '', database = ''] = process.argv.slice(2)
const progress = showProgress(process.stdout, plainVoice)

await inRealWorld({ progress, signal: cancelSignal() }, async (world) => {
  const layouts = new Map<string, LayoutImage>()
  for (const name of IMAGES) layouts.set(name, await readLayout(join(folder, name)))
  const images = Object.fromEntries(
    [...layouts].map(([name, { root, size }]) => [
      name,
      { reference: `bench/${name}@${root.digest}`, digest: root.digest, size },
    ]),
  )
  const set = { version: 1, images } as const
  const opened = await openDatabase(database, defaultPolicy.database, world)
  await scanAll({ set, layouts, database: opened, cacheFolder }, world)
})
