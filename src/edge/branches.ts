import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Branches } from '../build/cachetag.ts'
import { parseJson, textAt } from '../json.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Of these events, what is built is accepted already, and goes on in a branch. */
const ACCEPTED = ['push', 'schedule', 'workflow_dispatch', 'repository_dispatch']
const GIT_LIMIT_MS = 10_000

/** The branches of a run on GitHub, as its environment and its event say. */
export async function branchesOfRun(env: Environment): Promise<Branches> {
  const isBranch = env['GITHUB_REF_TYPE'] === 'branch'
  const head = env['GITHUB_HEAD_REF'] ?? ''
  const event = env['GITHUB_EVENT_NAME'] ?? ''
  return {
    own: head === '' && isBranch ? (env['GITHUB_REF_NAME'] ?? '') : head,
    base: env['GITHUB_BASE_REF'] ?? '',
    main: (await mainBranch(env)) ?? '',
    mayWrite: isBranch && ACCEPTED.includes(event),
  }
}

/** The branches of a checkout, as git says; without any where it is none, or where no branch is checked out. */
export async function branchesOfCheckout(): Promise<Branches> {
  const own = await git('symbolic-ref', '--quiet', '--short', 'HEAD')
  const remote = await git('symbolic-ref', '--quiet', '--short', 'refs/remotes/origin/HEAD')
  return { own, base: '', main: remote.replace(/^origin\//, ''), mayWrite: own !== '' }
}

/** The branch that everybody's work ends up on, as the event of the run says. */
export async function mainBranch(env: Environment): Promise<string | undefined> {
  const file = env['GITHUB_EVENT_PATH'] ?? ''
  const text = file === '' ? '' : await readFile(file, 'utf8').catch(() => '')
  return text === '' ? undefined : textAt(parseJson(text, file), 'repository', 'default_branch')
}

async function git(...args: readonly string[]): Promise<string> {
  const ask = promisify(execFile)
  return await ask('git', args, { timeout: GIT_LIMIT_MS }).then(
    ({ stdout }) => stdout.trim(),
    () => '', // No checkout, or no such name: then there is no branch.
  )
}
