// Prints the images of a lock file as values of the chart, for `helm --values`:
//   node scripts/chart-images.ts images.lock.json > images.values.yaml
import { readFile } from 'node:fs/promises'
import { messageOf, UserError } from '../src/errors.ts'
import { parseImageSet } from '../src/release/imageset.ts'
import { lockForms } from '../src/release/lockforms.ts'

async function chartImages(path: string | undefined): Promise<string> {
  if (path === undefined)
    throw new UserError(
      'Which images? Name a lock file: node scripts/chart-images.ts images.lock.json',
    )
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new UserError(`${path} can't be read`, [], { cause })
  })
  return lockForms(parseImageSet(text, path))['images.values.yaml'] ?? ''
}

try {
  process.stdout.write(await chartImages(process.argv[2]))
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 2
}
