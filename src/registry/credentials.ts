import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { at, isObject, textAt } from '../json.ts'
import { askHelper } from './credentialhelper.ts'

export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** Is exchanged for tokens at the registry's issuer. */
  | { readonly kind: 'identity'; readonly token: string }
  /** Is a token already. */
  | { readonly kind: 'bearer'; readonly token: string }

/** A login, or why there is none: a registry that asks for one gets no other answer. */
export type Lookup =
  { readonly credentials: Credentials } | { readonly credentials: undefined; readonly why: string }

/** Docker Hub is `docker.io` in names, another host on the network, and this in its configuration. */
const HUB_KEY = 'https://index.docker.io/v1/'
/** The user name that stands for "the secret is an identity token". */
const IDENTITY = '<token>'

/**
 * The login of a registry from Docker's own configuration (`credHelpers`, `credsStore`, `auths`), or why there is none. `folder` is that
 * of the configuration. Throws `UserError` where the configuration can't be read; its text is never shown.
 */
export async function findCredentials(
  registry: string,
  folder: string = process.env['DOCKER_CONFIG'] ?? join(homedir(), '.docker'),
): Promise<Lookup> {
  const file = join(folder, 'config.json')
  const config = await readConfig(file)
  if (config === undefined) return none(`There is no ${file}: nobody has logged in here`)
  const key = registry === 'docker.io' ? HUB_KEY : registry
  const stored = storedLogin(at(config, 'auths'), key, file)
  const helper = textAt(config, 'credHelpers', key) ?? textAt(config, 'credsStore') ?? ''
  if (helper === '') return stored ?? none(`${file} holds no login for ${registry}`)
  const answer = await askHelper(helper, key)
  if ('why' in answer) return stored ?? none(answer.why)
  const { username, secret } = answer
  return username === IDENTITY
    ? { credentials: { kind: 'identity', token: secret } }
    : { credentials: { kind: 'password', username, password: secret } }
}

function none(why: string): Lookup {
  return { credentials: undefined, why }
}

async function readConfig(file: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (textAt(error, 'code') === 'ENOENT') return undefined
    throw new UserError(`Docker's configuration ${file} can't be read; check its rights`, [], {
      cause: error,
    })
  }
  try {
    return JSON.parse(text)
  } catch {
    // The cause quotes the text, and the text holds passwords: neither is passed on.
    throw new UserError(`Docker's configuration ${file} is not valid JSON; log in again`)
  }
}

function storedLogin(auths: unknown, key: string, file: string): Lookup | undefined {
  if (!isObject(auths)) return undefined
  const found = Object.keys(auths).find((name) => hostOf(name) === hostOf(key))
  const entry = auths[key] ?? (found === undefined ? undefined : auths[found])
  const [identity, token] = [textAt(entry, 'identitytoken'), textAt(entry, 'registrytoken')]
  if (identity !== undefined && identity !== '')
    return { credentials: { kind: 'identity', token: identity } }
  if (token !== undefined && token !== '') return { credentials: { kind: 'bearer', token } }
  const auth = textAt(entry, 'auth') ?? ''
  const login = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '')
  const colon = login.indexOf(':')
  if (auth !== '' && colon < 1)
    throw new UserError(`The login for ${key} in ${file} can't be read; log in again`)
  const username = auth === '' ? textAt(entry, 'username') : login.slice(0, colon)
  const password = auth === '' ? textAt(entry, 'password') : login.slice(colon + 1)
  if (username === undefined || password === undefined) return undefined
  return { credentials: { kind: 'password', username, password } }
}

/** Keys of older logins are whole addresses: `https://ghcr.io/v2/`. */
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
}
