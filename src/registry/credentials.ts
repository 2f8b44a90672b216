import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { at, parseJson, textAt } from '../json.ts'

export type Credentials = { readonly username: string; readonly password: string }

const HELPER_TIMEOUT_MS = 10_000

/**
 * The credentials of a registry from Docker's own configuration (`auths`, `credHelpers`, `credsStore`),
 * or undefined where it has none: then the registry is asked anonymously.
 */
export async function findCredentials(registry: string): Promise<Credentials | undefined> {
  const folder = process.env['DOCKER_CONFIG'] ?? join(homedir(), '.docker')
  let text: string
  try {
    text = await readFile(join(folder, 'config.json'), 'utf8')
  } catch {
    return undefined // No configuration: nobody has logged in on this machine.
  }
  const config = parseJson(text, join(folder, 'config.json'))
  const key = registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry
  const helper = textAt(config, 'credHelpers', key) ?? textAt(config, 'credsStore')
  if (helper !== undefined) return askHelper(helper, key)
  const encoded = textAt(config, 'auths', key, 'auth')
  if (encoded === undefined || at(config, 'auths') === undefined) return undefined
  const [username = '', ...password] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
  return { username, password: password.join(':') }
}

function askHelper(helper: string, registry: string): Promise<Credentials | undefined> {
  return new Promise((resolve) => {
    const child = spawn(`docker-credential-${helper}`, ['get'], {
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: HELPER_TIMEOUT_MS,
    })
    let answer = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk))
    child.on('error', () => {
      resolve(undefined) // The helper is not installed: the registry decides about anonymous use.
    })
    child.on('close', (status) => {
      if (status !== 0) {
        resolve(undefined)
        return
      }
      const parsed = parseJson(answer, `the answer of docker-credential-${helper}`)
      const username = textAt(parsed, 'Username')
      const password = textAt(parsed, 'Secret')
      resolve(username === undefined || password === undefined ? undefined : { username, password })
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(registry)
  })
}
