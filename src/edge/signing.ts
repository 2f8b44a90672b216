import { readFile } from 'node:fs/promises'
import { messageOf, UserError } from '../errors.ts'
import type { SigningMaterial } from '../signing/open.ts'
import { mainBranch } from './branches.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** The signing key (`TODO_DEPLOY_SIGNING_KEY`, or a file in `…_FILE`), its password, and the workflow that runs. */
export async function readSigning(env: Environment): Promise<SigningMaterial> {
  const key = await readKey(env)
  const password = env['TODO_DEPLOY_SIGNING_PASSWORD']
  const { source } = describeWorkflow(env)
  const hasToken = (env['ACTIONS_ID_TOKEN_REQUEST_URL'] ?? '') !== ''
  const ref = env['GITHUB_REF'] ?? ''
  const mainRef = `refs/heads/${(await mainBranch(env)) ?? ''}`
  return {
    ...(key === undefined ? {} : { key }),
    ...(password === undefined || password === '' ? {} : { password }),
    ...(hasToken && source !== '' ? { workflow: { repository: source, ref, mainRef } } : {}),
  }
}

/** Where the sources of a workflow are, and who runs it; the words of provenance. */
export function describeWorkflow(env: Environment): {
  readonly source: string
  readonly builder: string
} {
  const repository = env['GITHUB_REPOSITORY'] ?? ''
  const server = env['GITHUB_SERVER_URL'] ?? 'https://github.com'
  const workflow = env['GITHUB_WORKFLOW_REF'] ?? ''
  return {
    source: repository === '' ? '' : `${server}/${repository}`,
    builder: workflow === '' ? 'https://todo-deploy.dev/builder/workflow' : `${server}/${workflow}`,
  }
}

async function readKey(env: Environment): Promise<string | undefined> {
  const text = env['TODO_DEPLOY_SIGNING_KEY'] ?? ''
  const file = env['TODO_DEPLOY_SIGNING_KEY_FILE'] ?? ''
  if (text !== '') return text
  if (file === '') return undefined
  return await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UserError(
      `TODO_DEPLOY_SIGNING_KEY_FILE names ${file}, which can't be read: ${messageOf(error)}`,
    )
  })
}
