// Scans the five images in a folder of layouts the way build-images does, as a program of its own. What is in the cache folder is known.
import { join } from 'node:path'
import { plainVoice, showProgress } from '../src/edge/terminal.ts'
import { cancelSignal, inRealWorld } from '../src/edge/world.ts'
import { readLayout } from '../src/registry/layout.ts'
import { defaultPolicy } from '../src/scan/policy.ts'
import { openDatabase } from '../src/scan/scanner.ts'
import { openScans } from '../src/build/scans.ts'
import { IMAGES } from './workplace.ts'

const [folder = '', cacheFolder = '', database = ''] = process.argv.slice(2)
const progress = showProgress(process.stdout, plainVoice)

await inRealWorld({ progress, signal: cancelSignal() }, async (world) => {
  const opening = openDatabase(database, defaultPolicy.database, world)
  const scans = openScans({ database: opening, cacheFolder }, world)
  scans.expect(IMAGES.length)
  for (const name of IMAGES) {
    const layout = await readLayout(join(folder, name))
    scans.begin({ name, digest: layout.root.digest, layout })
  }
  await scans.all()
})
