import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { loadAccess } from './kubeconfig.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

/** The headers that a kubeconfig with this user puts on every request. */
async function headersOf(user: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const kubeconfig = join(folder, 'config')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    clusters: [{ name: 'here', cluster: { server: 'https://cluster.example' } }],
    users: [{ name: 'ci', user }],
    contexts: [{ name: 'here', context: { cluster: 'here', user: 'ci' } }],
  }
  await writeFile(kubeconfig, JSON.stringify(config))
  const access = await loadAccess({ kubeconfig, context: '' })
  return await access.headers()
}

describe('the login of a kubeconfig', () => {
  it('may be a token', async () => {
    expect(await headersOf({ token: 'abc' })).toEqual({ Authorization: 'Bearer abc' })
  })

  it('may speak for somebody else', async () => {
    const as = 'system:serviceaccount:todo-app-access:deployer-dev'
    expect(await headersOf({ token: 'abc', as })).toEqual({
      Authorization: 'Bearer abc',
      'Impersonate-User': as,
    })
  })

  it('may be a name and a password', async () => {
    expect(await headersOf({ username: 'me', password: 'pw' })).toEqual({
      authorization: `Basic ${Buffer.from('me:pw').toString('base64')}`,
    })
  })
})
