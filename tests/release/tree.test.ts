import { execFile } from 'node:child_process'
import { access, readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { promisify } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import pins from '../../src/tools/pins.json' with { type: 'json' }
import { readActionFile, treePath } from './tree.ts'

const ACTIONS = ['build-images', 'deploy', 'preview', 'promote', 'verify']
/** An action starts anew in every step: what it has to read first must stay small. */
const LARGEST_BUNDLE = 3_000_000

describe('the release tree', () => {
  it.each(['LICENSE', 'README.md', 'schemas/environments.schema.json'])(
    'holds %s',
    async (file) => {
      await access(treePath(file))
    },
  )

  it('holds the five actions', async () => {
    expect((await readdir(treePath('actions'))).sort()).toEqual(ACTIONS)
  })

  it.each(ACTIONS)('holds the file that %s starts, its licences and its page', async (action) => {
    const { runs } = await readActionFile(action)
    for (const file of [runs.main, 'dist/licenses.txt', 'README.md'])
      await access(treePath('actions', action, file))
  })

  it.each(ACTIONS)(
    'keeps the bundle of %s small and free of paths of the machine',
    async (action) => {
      const bundle = await readFile(treePath('actions', action, 'dist/index.js'), 'utf8')
      expect(Buffer.byteLength(bundle)).toBeLessThan(LARGEST_BUNDLE)
      expect(bundle.includes(process.cwd())).toBe(false)
    },
  )

  it('carries the pins of the tools', async () => {
    const bundle = await readFile(treePath('actions/build-images/dist/index.js'), 'utf8')
    expect(bundle).toContain(pins.tools.syft.platforms['linux-x64'].sha256)
  })

  it('keeps the Kubernetes client out of build-images, and only there', async () => {
    const holders = await Promise.all(
      ACTIONS.map(async (action) => {
        const bundle = await readFile(treePath('actions', action, 'dist/index.js'), 'utf8')
        return bundle.includes('kubernetes-client-javascript') ? [action] : []
      }),
    )
    expect(holders.flat()).toEqual(ACTIONS.filter((action) => action !== 'build-images'))
  })

  it('depends on nothing', async () => {
    const text = await readFile(treePath('package.json'), 'utf8')
    expect(JSON.parse(text)).not.toHaveProperty('dependencies')
    expect(JSON.parse(text)).toMatchObject({ bin: { 'todo-deploy': 'bin/todo-deploy.mjs' } })
  })

  it('has a command line that knows every action, wherever it is started', async () => {
    const file = treePath('bin/todo-deploy.mjs')
    const { stdout } = await promisify(execFile)(process.execPath, [file, '--help'], {
      cwd: tmpdir(),
      timeout: 30_000,
    })
    for (const action of ACTIONS) expect(stdout).toContain(`todo-deploy ${action}`)
  })
})
