import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { branchesOfCheckout, branchesOfRun } from './branches.ts'

let folder: string
const back = process.cwd()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'todo-deploy-branches-'))
  const event = { repository: { default_branch: 'trunk' } }
  await writeFile(join(folder, 'event.json'), JSON.stringify(event))
})
afterAll(async () => {
  process.chdir(back)
  await rm(folder, { recursive: true })
})

const cases = [
  {
    name: 'a push',
    env: {
      GITHUB_EVENT_NAME: 'push',
      GITHUB_REF_TYPE: 'branch',
      GITHUB_REF_NAME: 'fix/a',
      GITHUB_HEAD_REF: '',
      GITHUB_BASE_REF: '',
    },
    branches: { own: 'fix/a', base: '', main: 'trunk', mayWrite: true },
  },
  {
    name: 'a pull request',
    env: {
      GITHUB_EVENT_NAME: 'pull_request',
      GITHUB_REF_TYPE: 'branch',
      GITHUB_REF_NAME: '7/merge',
      GITHUB_HEAD_REF: 'fix/a',
      GITHUB_BASE_REF: 'next',
    },
    branches: { own: 'fix/a', base: 'next', main: 'trunk', mayWrite: false },
  },
  {
    name: 'a pull request that runs with the rights of its base',
    env: {
      GITHUB_EVENT_NAME: 'pull_request_target',
      GITHUB_REF_TYPE: 'branch',
      GITHUB_REF_NAME: 'trunk',
      GITHUB_HEAD_REF: 'trunk',
      GITHUB_BASE_REF: 'trunk',
    },
    branches: { own: 'trunk', base: 'trunk', main: 'trunk', mayWrite: false },
  },
  {
    name: 'a tag',
    env: { GITHUB_EVENT_NAME: 'push', GITHUB_REF_TYPE: 'tag', GITHUB_REF_NAME: 'v1.2.3' },
    branches: { own: '', base: '', main: 'trunk', mayWrite: false },
  },
  {
    name: 'a run that another workflow started',
    env: { GITHUB_EVENT_NAME: 'workflow_run', GITHUB_REF_TYPE: 'branch', GITHUB_REF_NAME: 'trunk' },
    branches: { own: 'trunk', base: '', main: 'trunk', mayWrite: false },
  },
]

describe('the branches of a run on GitHub', () => {
  it.each(cases)('are those of $name', async ({ env, branches }) => {
    const event = { GITHUB_EVENT_PATH: join(folder, 'event.json') }
    expect(await branchesOfRun({ ...env, ...event })).toEqual(branches)
  })

  it('have no main one where the event says nothing', async () => {
    expect((await branchesOfRun({ GITHUB_EVENT_PATH: join(folder, 'none') })).main).toBe('')
  })
})

describe('the branches of a checkout', () => {
  const git = (...args: readonly string[]) => {
    const who = ['-c', 'user.name=A', '-c', 'user.email=a@b.example']
    execFileSync('git', [...who, ...args], { cwd: folder, stdio: 'ignore' })
  }

  it('are none where it is no checkout', async () => {
    process.chdir(folder)
    expect(await branchesOfCheckout()).toEqual({ own: '', base: '', main: '', mayWrite: false })
  })

  it('are the one that is checked out and the main one of the remote', async () => {
    git('init', '--initial-branch', 'fix/a')
    git('commit', '--allow-empty', '-m', 'one')
    git('symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/trunk')
    const found = await branchesOfCheckout()
    expect(found).toEqual({ own: 'fix/a', base: '', main: 'trunk', mayWrite: true })
  })

  it('has none of its own, and writes nothing, where only a commit is checked out', async () => {
    git('checkout', '--detach')
    expect(await branchesOfCheckout()).toMatchObject({ own: '', mayWrite: false })
  })
})
