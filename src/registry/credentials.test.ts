import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { askHelper } from './credentialhelper.ts'
import { findCredentials } from './credentials.ts'

const encoded = (login: string) => Buffer.from(login).toString('base64')
const password = (username: string, secret: string) => ({
  credentials: { kind: 'password', username, password: secret },
})

let folder = ''
const path = process.env['PATH']
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'docker-config-'))
  process.env['PATH'] = `${folder}:${path ?? ''}`
})
afterEach(async () => {
  process.env['PATH'] = path
  await rm(folder, { recursive: true })
})

async function configure(config: unknown): Promise<void> {
  const text = typeof config === 'string' ? config : JSON.stringify(config)
  await writeFile(join(folder, 'config.json'), text)
}

/** A credential helper that is a shell script. */
async function addHelper(name: string, script: string): Promise<void> {
  const file = join(folder, `docker-credential-${name}`)
  await writeFile(file, `#!/bin/sh\n${script}\n`)
  await chmod(file, 0o755)
}

/** Knows one server, and fails where it is asked for it in any other way than over its standard input. */
const HELPER = `[ "$*" = get ] || exit 3
read -r server || true
[ "$server" = ghcr.io ] || { echo 'credentials not found in native keychain'; exit 1; }
echo '{"ServerURL":"ghcr.io","Username":"ann","Secret":"from the helper"}'`

describe("Docker's configuration", () => {
  it.each([
    {
      name: 'the host',
      registry: 'ghcr.io',
      auths: { 'ghcr.io': { auth: encoded('ann:pass:word') } },
      found: password('ann', 'pass:word'),
    },
    {
      name: 'host and port',
      registry: 'localhost:5001',
      auths: {
        'localhost:5001': { auth: encoded('ann:x') },
        localhost: { auth: encoded('bob:y') },
      },
      found: password('ann', 'x'),
    },
    {
      name: 'a whole address, as older logins have it',
      registry: 'ghcr.io',
      auths: { 'https://ghcr.io/v2/': { auth: encoded('ann:x') } },
      found: password('ann', 'x'),
    },
    {
      name: 'the old name of Docker Hub',
      registry: 'docker.io',
      auths: { 'https://index.docker.io/v1/': { auth: encoded('ann:x') } },
      found: password('ann', 'x'),
    },
    {
      name: 'the host, with user name and password apart',
      registry: 'ghcr.io',
      auths: { 'ghcr.io': { username: 'ann', password: 'x' } },
      found: password('ann', 'x'),
    },
    {
      name: 'the host, with an identity token',
      registry: 'ghcr.io',
      auths: { 'ghcr.io': { auth: encoded('x:'), identitytoken: 'id' } },
      found: { credentials: { kind: 'identity', token: 'id' } },
    },
    {
      name: 'the host, with a token of the registry',
      registry: 'ghcr.io',
      auths: { 'ghcr.io': { registrytoken: 'tok' } },
      found: { credentials: { kind: 'bearer', token: 'tok' } },
    },
  ])('gives the login that it holds under $name', async ({ registry, auths, found }) => {
    await configure({ auths })
    expect(await findCredentials(registry, folder)).toEqual(found)
  })

  it.each([
    { name: 'there is none', config: undefined, why: 'nobody has logged in here' },
    { name: 'it is about others', config: { auths: { 'a.b': {} } }, why: 'no login for ghcr.io' },
    { name: 'the login is empty', config: { auths: { 'ghcr.io': {} } }, why: 'no login for ghcr' },
  ])('says why there is no login where $name', async ({ config, why }) => {
    if (config !== undefined) await configure(config)
    expect(await findCredentials('ghcr.io', folder)).toEqual({
      credentials: undefined,
      why: expect.stringContaining(why),
    })
  })

  it.each([
    { name: 'is no JSON', config: '{"auths":{"ghcr.io":{"auth":"c2VjcmV0"' },
    { name: 'has a login that is none', config: { auths: { 'ghcr.io': { auth: 'c2VjcmV0' } } } },
  ])('that $name is an error that does not show it', async ({ config }) => {
    await configure(config)
    const error: unknown = await findCredentials('ghcr.io', folder).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({ message: expect.stringContaining('log in again') })
    const { message, cause } = error as Error
    expect(`${message} ${String(cause)}`).not.toContain('c2VjcmV0')
  })

  it('that is a folder is an error', async () => {
    await mkdir(join(folder, 'config.json'))
    await expect(findCredentials('ghcr.io', folder)).rejects.toThrow("can't be read")
  })

  it('gives the login of the helper that it names for a registry, or for all', async () => {
    await addHelper('test', HELPER)
    for (const config of [{ credHelpers: { 'ghcr.io': 'test' } }, { credsStore: 'test' }]) {
      await configure(config)
      expect(await findCredentials('ghcr.io', folder)).toEqual(password('ann', 'from the helper'))
    }
  })

  it('gives its own login where the helper knows none', async () => {
    await addHelper('test', HELPER)
    await configure({ credsStore: 'test', auths: { 'quay.io': { auth: encoded('bob:y') } } })
    expect(await findCredentials('quay.io', folder)).toEqual(password('bob', 'y'))
  })

  it('gives an identity token where the helper has one', async () => {
    await addHelper('test', `cat >/dev/null; echo '{"Username":"<token>","Secret":"id"}'`)
    await configure({ credsStore: 'test' })
    expect(await findCredentials('ghcr.io', folder)).toEqual({
      credentials: { kind: 'identity', token: 'id' },
    })
  })
})

describe('a credential helper', () => {
  it.each([
    { name: 'is not there', script: undefined, why: "can't be started" },
    { name: 'knows nobody', script: HELPER, why: 'knows no login for it' },
    { name: 'fails', script: 'echo secret; exit 1', why: 'failed (1)' },
    { name: 'says nonsense', script: 'echo secret', why: 'something that is no login' },
    { name: 'hangs', script: 'exec sleep 30', why: 'did not answer within 2 s' },
    { name: 'talks without end', script: 'yes secret', why: 'answered with more than a login' },
  ])('that $name is the reason why there is no login', async ({ script, why }) => {
    if (script !== undefined) await addHelper('odd', script)
    const answer = await askHelper('odd', 'quay.io', 2000)
    expect(answer).toEqual({ why: expect.stringContaining(why) })
    expect(JSON.stringify(answer)).not.toContain('secret')
  })

  it('is not waited for when it has answered, whatever it leaves running', async () => {
    await addHelper('odd', `echo '{"Username":"ann","Secret":"x"}'; sleep 5 &`)
    expect(await askHelper('odd', 'quay.io')).toEqual({ username: 'ann', secret: 'x' })
  })

  it('is a program by its name alone', async () => {
    expect(await askHelper('../../bin/sh', 'ghcr.io')).toEqual({
      why: expect.stringContaining("can't be one"),
    })
  })
})
