import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  configMap,
  deployment,
  namespaceObject,
  service,
} from '../../../tests/fakes/application.ts'
import { fakeWorld } from '../../../tests/fakes/world.ts'
import type { KubeObject } from '../../render/manifest.ts'
import { runProgram } from '../../tools/program.ts'
import type { Program } from '../../world.ts'
import { commitRelease, type Committed, type GitTarget } from './gitops.ts'

let root = ''
let repository = ''
let programs: Program[] = []
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gitops-'))
  repository = join(root, 'config.git')
  programs = []
  await git('init', '--quiet', '--bare', '--initial-branch=main', repository)
})
afterEach(async () => {
  await rm(root, { recursive: true })
})

async function git(...args: readonly string[]): Promise<string> {
  const program: Program = { argv: ['git', ...args], timeoutSeconds: 30 }
  const result = await runProgram(program, new AbortController().signal)
  if (result.status !== 0) throw new Error(result.stderr)
  return result.stdout.trim()
}

const application = [
  namespaceObject,
  configMap('settings', { a: '1' }),
  service('web'),
  deployment('web'),
]

async function commit(
  identity: string,
  objects: readonly KubeObject[] = application,
  more: Partial<GitTarget> = {},
): Promise<Committed> {
  const world = fakeWorld({
    workspace: join(root, 'work'),
    run: (program, signal) => {
      programs.push(program)
      return runProgram(program, signal)
    },
  })
  const target = { repository, branch: 'main', path: 'clusters/dev', withSecrets: false, ...more }
  return await commitRelease({ identity, environment: 'dev', objects }, target, world)
}

/** A checkout of somebody else, who pushes what `work` has done there. */
async function somebody(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(root, 'somebody-'))
  await git('clone', '--quiet', repository, folder)
  await work(folder)
  await git('-C', folder, 'add', '--all')
  await git(
    '-C',
    folder,
    '-c',
    'user.name=b',
    '-c',
    'user.email=b@c',
    'commit',
    '--quiet',
    '-m',
    'theirs',
  )
  await git('-C', folder, 'push', '--quiet', 'origin', 'HEAD:main')
}

const show = (path: string) => git('-C', repository, 'show', `main:${path}`)

describe('a release in a repository', () => {
  it('is a file for each object, a kustomization of them and the order for Argo CD', async () => {
    const { commit: made, files } = await commit('r@sha256:1')
    expect(await git('-C', repository, 'rev-parse', 'main')).toBe(made)
    const names = (
      await git('-C', repository, 'ls-tree', '--name-only', 'main:clusters/dev')
    ).split('\n')
    expect(names).toEqual([
      'configmap-settings.yaml',
      'deployment-web.yaml',
      'kustomization.yaml',
      'namespace-todo.yaml',
      'service-web.yaml',
      'todo-deploy.json',
    ])
    expect(files).toHaveLength(6)
    expect(await show('clusters/dev/deployment-web.yaml')).toContain(
      'image: ghcr.io/todo/web@sha256:a',
    )
    expect(await show('clusters/dev/deployment-web.yaml')).toContain(
      'argocd.argoproj.io/sync-wave: "3"',
    )
    expect(await show('clusters/dev/kustomization.yaml')).toContain('- service-web.yaml')
    expect(JSON.parse(await show('clusters/dev/todo-deploy.json'))).toMatchObject({
      release: 'r@sha256:1',
    })
  })

  it('that is there already makes no commit', async () => {
    const first = await commit('r1')
    expect(await commit('r1')).toEqual({ commit: first.commit, files: [] })
    expect(await git('-C', repository, 'rev-list', '--count', 'main')).toBe('1')
  })

  it('replaces the one before, and touches nothing else of the repository', async () => {
    await commit('r1')
    await somebody(async (folder) => {
      await writeFile(join(folder, 'README.md'), 'ours')
    })
    const { files } = await commit('r2', [namespaceObject, configMap('settings', { a: '2' })])
    expect(files).toEqual([
      { name: 'configmap-settings.yaml', action: 'update' },
      { name: 'deployment-web.yaml', action: 'delete' },
      { name: 'kustomization.yaml', action: 'update' },
      { name: 'service-web.yaml', action: 'delete' },
      { name: 'todo-deploy.json', action: 'update' },
    ])
    expect(await show('README.md')).toBe('ours')
    expect(await git('-C', repository, 'rev-list', '--count', 'main')).toBe('3')
  })

  it('goes on top where somebody pushes at the same time', async () => {
    await commit('r1')
    const hook = join(repository, 'hooks', 'update')
    const theirs = join(root, 'theirs')
    // At our first push, somebody else is faster: as a server that takes theirs in between.
    await git('clone', '--quiet', repository, theirs)
    const raced = join(root, 'raced')
    const script = `#!/bin/sh\n[ -e ${raced} ] && exit 0\ntouch ${raced}\nunset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_DIR\ncd ${theirs} && echo x > x && git add x && git -c user.name=b -c user.email=b@c commit -qm theirs && git push -q origin HEAD:main\nexit 0\n`
    await writeFile(hook, script, { mode: 0o755 })
    await commit('r2')
    const log = await git('-C', repository, 'log', '--format=%s', 'main')
    expect(log.split('\n')).toEqual(['Deploy to dev: r2', 'theirs', 'Deploy to dev: r1'])
  })
})

describe('a release is not committed', () => {
  const secret: KubeObject = {
    ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys', namespace: 'todo' } },
    stringData: { password: 'hunter2hunter2' },
  }

  it('with Secrets in plain, unless that is allowed', async () => {
    await expect(commit('r1', [secret])).rejects.toThrow(/Secrets in plain: .*: Secret todo\/keys/)
    expect(programs).toEqual([])
    await commit('r1', [secret], { withSecrets: true })
    expect(await show('clusters/dev/secret-keys.yaml')).toContain('hunter2hunter2')
  })

  it('over files that nobody of us has written', async () => {
    await somebody(async (folder) => {
      await mkdir(join(folder, 'clusters/dev'), { recursive: true })
      await writeFile(join(folder, 'clusters/dev/mine.yaml'), 'a: b')
    })
    await expect(commit('r1')).rejects.toThrow(
      /^The folder clusters\/dev of main holds files that no deploy has written/,
    )
  })

  it.each(['', '.', '../up', '/etc', 'a/../b', '.git', 'a//b'])(
    'into the folder "%s"',
    async (path) => {
      await expect(commit('r1', application, { path })).rejects.toThrow(/^gitops-path is/)
    },
  )

  it('to a repository that can not be read, or whose address has a login in it', async () => {
    await expect(commit('r1', application, { repository: join(root, 'none.git') })).rejects.toThrow(
      /^The repository .*none\.git can't be read; check its address/,
    )
    const withLogin = { repository: 'https://user:secret@git.example/config.git' }
    await expect(commit('r1', application, withLogin)).rejects.toThrow(/has a login in it/)
  })

  it('where the branch does not take it, and the reason is told', async () => {
    const script = '#!/bin/sh\necho "this branch is protected" >&2\nexit 1\n'
    await writeFile(join(repository, 'hooks', 'update'), script, { mode: 0o755 })
    await expect(commit('r1')).rejects.toThrow(
      /does not take the commit on main: .*(hook declined|protected)/,
    )
  })
})

describe('a token', () => {
  it('is in no argument and in no file', async () => {
    await commit('r1', application, { token: 'ghs_veryhidden' })
    const login = Buffer.from('x-access-token:ghs_veryhidden').toString('base64')
    for (const value of ['ghs_veryhidden', login])
      expect(JSON.stringify(programs.map(({ argv }) => argv))).not.toContain(value)
    expect(programs[0]?.env?.['GIT_CONFIG_VALUE_0']).toBe(`Authorization: Basic ${login}`)
    const folder = join(root, 'work', 'gitops-1', '.git')
    expect(await readdir(folder)).toContain('config')
    expect(await readFile(join(folder, 'config'), 'utf8')).not.toContain(login)
  })
})
