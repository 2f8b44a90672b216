import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { fakeWorld } from '../../tests/fakes/world.ts'
import type { Program } from '../world.ts'
import { bakeArguments, bakeCaches, bakeLayouts, formOf } from './bake.ts'
import type { BakeTarget } from './bakeplan.ts'

const fill = () => Promise.resolve()

function target(name: string, context: string): BakeTarget {
  return { name, context, dockerfile: 'Dockerfile', contexts: {}, args: {}, resolved: {} }
}

const plan = {
  file: 'docker-bake.hcl',
  folder: '/srv/todo',
  targets: [target('backend', 'app/backend'), target('frontend', '../my-app/web')],
  parents: [],
}
const options = {
  builder: '',
  platforms: [],
  reproducible: false,
  names: ['backend', 'frontend'],
  output: (name: string) => `type=oci,dest=/out/${name}`,
} as const

describe('the arguments of a build', () => {
  it('give each image an output of its own and end with what is built', () => {
    const args = bakeArguments(plan, options)
    expect(args).toContain('backend.output=type=oci,dest=/out/backend')
    expect(args).toContain('frontend.output=type=oci,dest=/out/frontend')
    expect(args.slice(-2)).toEqual(['backend', 'frontend'])
  })

  it('allow to read the contexts outside of the folder, and no others', () => {
    const allowed = bakeArguments(plan, options).filter((arg) => arg.startsWith('--allow'))
    expect(allowed).toEqual(['--allow=fs.read=/srv/my-app/web'])
  })

  it('tell the builder the date of a target, whether the bake file knows it or not', () => {
    const dated = { ...target('api', '.'), args: { SOURCE_DATE_EPOCH: '315532800', MODE: 'x' } }
    const args = bakeArguments({ ...plan, targets: [dated] }, { ...options, names: ['api'] })
    expect(args).toContain('api.args.SOURCE_DATE_EPOCH=315532800')
    expect(args.join(' ')).not.toContain('MODE')
  })

  it('leave builder, platforms and cache to bake where nothing was asked for', () => {
    const args = bakeArguments(plan, options).join(' ')
    expect(args).not.toMatch(/--builder|platform|cache/)
  })

  it('read the caches that were found, nearest first', () => {
    const args = bakeArguments(plan, {
      ...options,
      builder: 'remote',
      platforms: ['linux/amd64', 'linux/arm64'],
      caches: new Map([['backend', ['ghcr.io/todo/cache:mine', 'ghcr.io/todo/cache:main']]]),
    })
    expect(args).toContain('*.platform=linux/amd64,linux/arm64')
    expect(args[args.indexOf('--builder') + 1]).toBe('remote')
    expect(args.filter((arg) => arg.includes('cache'))).toEqual([
      'backend.cache-from=type=registry,ref=ghcr.io/todo/cache:mine',
      'backend.cache-from=type=registry,ref=ghcr.io/todo/cache:main',
    ])
  })
})

/** A builder that ends as it is told, call by call. */
function builder(...ends: readonly { readonly status: number; readonly stderr?: string }[]) {
  const asked: (readonly string[])[] = []
  const run = ({ argv }: Program) => {
    const end = ends[asked.length] ?? { status: 0 }
    asked.push(argv)
    return Promise.resolve({ stdout: '', stderr: '', ...end })
  }
  return { asked, run }
}

const caches = new Map([['backend', ['ghcr.io/todo/cache:main']]])
const GONE = 'ERROR: failed to solve: failed to copy: httpReadSeeker: content at sha256:1 not found'

describe('the layouts of a build', () => {
  it('have one store of blobs, so that the builder sends each blob once', async () => {
    const workspace = await mkdtemp(join(tmpdir(), 'todo-deploy-bake-'))
    const [one, other] = ['backend', 'frontend'].map((name) => join(workspace, 'layouts', name))
    let seen = ''
    const run = async () => {
      await writeFile(join(one ?? '', 'blobs', 'layer'), 'of both')
      seen = await readFile(join(other ?? '', 'blobs', 'layer'), 'utf8')
      return { status: 1, stdout: '', stderr: '' }
    }
    const how = { ...options, caches: new Map(), onLayout: () => undefined, fill }
    const build = bakeLayouts({ ...plan, folder: workspace }, how, fakeWorld({ run, workspace }))
    await expect(build).rejects.toThrow()
    await rm(workspace, { recursive: true })
    expect(seen).toBe('of both')
  })
})

describe('the form of images', () => {
  it('has the times of files set where that is asked for, and layers packed alike', () => {
    expect(formOf({ reproducible: false })).toBe('compression-level=4')
    expect(formOf({ reproducible: true })).toBe('rewrite-timestamp=true,compression-level=4')
  })
})

describe('a build with a cache', () => {
  const build = async (end: string) => {
    const workspace = await mkdtemp(join(tmpdir(), 'todo-deploy-bake-'))
    const { asked, run } = builder({ status: 1, stderr: end }, { status: 1, stderr: end })
    const world = fakeWorld({ run, workspace })
    const how = { ...options, names: ['backend'], caches, onLayout: () => undefined, fill }
    await expect(bakeLayouts({ ...plan, folder: workspace }, how, world)).rejects.toThrow()
    await rm(workspace, { recursive: true })
    return { asked, said: world.said.join('\n') }
  }

  it('is done again without it where a layer of the cache is gone', async () => {
    const { asked, said } = await build(GONE)
    expect(asked.map((argv) => argv.join(' ').includes('cache-from'))).toEqual([true, false])
    expect(said).toMatch(/again without the build cache: .*not found/)
  })

  it('is not done again where a program of it failed', async () => {
    const failed = 'ERROR: process "/bin/sh -c false" did not complete successfully: exit code: 1'
    expect((await build(failed)).asked).toHaveLength(1)
  })
})

describe('keeping layers', () => {
  const places = ['linux/amd64', 'linux/arm64'].flatMap((platform) =>
    ['backend', 'frontend'].map((name) => ({
      name,
      platform,
      reference: `ghcr.io/todo/cache:${name}-${platform.slice(6)}`,
    })),
  )

  it('is done for each image and platform, with every step, and pushes nothing else', async () => {
    const { asked, run } = builder()
    await bakeCaches(plan, { ...options, places, caches }, fakeWorld({ run }))
    expect(asked).toHaveLength(2)
    const [, second = []] = asked
    expect(second).toContain('*.platform=linux/arm64')
    expect(second).toContain(
      'frontend.cache-to=type=registry,ref=ghcr.io/todo/cache:frontend-arm64,mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true,compression-level=4',
    )
    expect(second.filter((arg) => arg.includes('output='))).toEqual([
      'backend.output=type=cacheonly',
      'frontend.output=type=cacheonly',
    ])
  })

  it('says what went wrong, and is no failure', async () => {
    const { asked, run } = builder({ status: 1, stderr: 'ERROR: failed to push: 403 Forbidden\n' })
    const world = fakeWorld({ run })
    await bakeCaches(plan, { ...options, places, caches }, world)
    expect(asked).toHaveLength(1)
    expect(world.said.join('\n')).toMatch(/cache was not written.*403 Forbidden/)
  })

  it('has nothing to do where this run keeps none', async () => {
    const { asked, run } = builder()
    await bakeCaches(plan, { ...options, places: [], caches }, fakeWorld({ run }))
    expect(asked).toEqual([])
  })
})
