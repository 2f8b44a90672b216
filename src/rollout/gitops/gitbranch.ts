import { mkdir, rm } from 'node:fs/promises'
import { UserError } from '../../errors.ts'
import type { ProgramResult, World } from '../../world.ts'

export type GitRepository = {
  /** A URL, or the path of a repository on this machine. */
  readonly repository: string
  readonly branch: string
  /** For HTTPS, where git has no login of its own. */
  readonly token?: string | undefined
}

/** A branch of a repository in a folder of its own, without its history. */
export type Branch = {
  readonly folder: string
  /** The commit that it is at; empty where it has none yet. */
  head: () => Promise<string>
  /** Commits everything in the folder and returns the commit. */
  commit: (message: string) => Promise<string>
  /** Pushes; undefined where it was taken. Overtaken: somebody else was faster. */
  push: () => Promise<{ readonly isOvertaken: boolean; readonly reason: string } | undefined>
}

const GIT_TIMEOUT_S = 120
const AUTHOR = ['-c', 'user.name=todo-deploy', '-c', 'user.email=todo-deploy@localhost']
/** How `git ls-remote --exit-code` says that there is no such branch. */
const NO_BRANCH = 2

/** Fetches the newest commit of a branch; a branch that is not there begins empty. */
export async function openBranch(
  { repository, branch, token }: GitRepository,
  folder: string,
  world: World,
): Promise<Branch> {
  requirePlainUrl(repository)
  const git = async (...args: readonly string[]): Promise<ProgramResult> =>
    await world.run(
      {
        argv: ['git', '-C', folder, ...args],
        env: environmentOf(token),
        timeoutSeconds: GIT_TIMEOUT_S,
      },
      world.signal,
    )
  const must = async (what: string, ...args: readonly string[]): Promise<string> => {
    const result = await git(...args)
    if (result.status === 0) return result.stdout.trim()
    throw new UserError(`${what}: ${lastLine(result)}`, result.stderr.trim().split('\n'))
  }
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await must('git does not work', 'init', '--quiet')
  await must('git does not work', 'remote', 'add', 'origin', repository)
  const found = await git('ls-remote', '--exit-code', '--heads', 'origin', branch)
  const where = `The repository ${repository} can't be read`
  if (found.status === NO_BRANCH) await must(where, 'checkout', '--quiet', '--orphan', branch)
  else if (found.status === 0) {
    await must(where, 'fetch', '--quiet', '--depth', '1', 'origin', `refs/heads/${branch}`)
    await must(where, 'checkout', '--quiet', '-B', branch, 'FETCH_HEAD')
  } else
    throw new UserError(
      `${where}; check its address and the login of git (TODO_DEPLOY_GIT_TOKEN): ${lastLine(found)}`,
      found.stderr.trim().split('\n'),
    )
  const head = async () => {
    const result = await git('rev-parse', '--quiet', '--verify', 'HEAD')
    return result.status === 0 ? result.stdout.trim() : ''
  }
  return {
    folder,
    head,
    commit: async (message) => {
      await must('The release can not be committed', 'add', '--all', '--force', '.')
      await must('The release can not be committed', ...AUTHOR, 'commit', '--quiet', '-m', message)
      return await head()
    },
    push: async () => {
      const result = await git('push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`)
      if (result.status === 0) return undefined
      const isOvertaken = /\[rejected\]|fetch first|non-fast-forward|cannot lock ref/.test(
        result.stderr,
      )
      return { isOvertaken, reason: lastLine(result) }
    },
  }
}

/** A login in an address would stand in argument lists, logs and error messages. */
function requirePlainUrl(repository: string): void {
  if (!URL.canParse(repository)) return
  const { password, username, protocol } = new URL(repository)
  if (password !== '' || (username !== '' && protocol.startsWith('http')))
    throw new UserError(
      'gitops-repository has a login in it; leave it out and give the token as TODO_DEPLOY_GIT_TOKEN',
    )
}

/** The token goes by the environment, which no process listing shows. Git never asks on a terminal, and speaks English. */
function environmentOf(token: string | undefined): Readonly<Record<string, string>> {
  const inherited = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  const login = Buffer.from(`x-access-token:${token ?? ''}`).toString('base64')
  return {
    ...Object.fromEntries(inherited),
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    ...(token === undefined || token === ''
      ? {}
      : {
          GIT_CONFIG_COUNT: '1',
          GIT_CONFIG_KEY_0: 'http.extraHeader',
          GIT_CONFIG_VALUE_0: `Authorization: Basic ${login}`,
        }),
  }
}

function lastLine({ stderr, stdout }: ProgramResult): string {
  const lines = (stderr.trim() === '' ? stdout : stderr).trim().split('\n')
  return (
    lines.find((line) => /^(fatal|error|remote: .*(denied|protected)|! \[)/.test(line.trim())) ??
    lines.at(-1) ??
    ''
  ).trim()
}
