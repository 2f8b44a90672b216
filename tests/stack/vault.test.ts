import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { textAt } from '../../src/json.ts'
import { pullRelease } from '../../src/release/release.ts'
import { type Call, demoRelease } from '../e2e/lab.ts'
import { recordFact } from './facts.ts'
import { openLab, openPlatform, type Platform, valuesOf } from './platform.ts'
import { clearNamespace, dropNamespace } from './rendered.ts'
import { deployTree, plantTree, replacing, type Tree } from './tree.ts'

const NAMESPACE = 'todo-stack-vault'
const VAULTS = 'todo-stack-vaults'
const READER = 'todo-secret-store'
const PATH = 'todo-app/stack'
const ROLES = ['stranger', 'denied', 'reader'] as const
/** The interval of the overlay below, and more for a busy machine. */
const INTERVAL_MS = 30_000

/** Roles of the stand-in. `stranger` is bound to another account, `denied` may read another path. */
const bound = {
  bound_service_account_names: [READER],
  bound_service_account_namespaces: [NAMESPACE],
  audience: 'vault',
}
const roles = {
  reader: { ...bound, read: [PATH] },
  denied: { ...bound, read: ['todo-app/production'] },
  stranger: { ...bound, bound_service_account_names: ['somebody-else'], read: [] },
}

/** The component alone: what it makes of a Vault, without workloads. */
function overlayFor(role: string) {
  const metadata = { name: NAMESPACE }
  return {
    'namespace.yaml': { apiVersion: 'v1', kind: 'Namespace', metadata },
    'kustomization.yaml': {
      namespace: NAMESPACE,
      resources: ['namespace.yaml'],
      components: ['../../components/external-secrets'],
      patches: [
        replacing(
          { kind: 'SecretStore' },
          {
            '/spec/provider/vault/server': `http://vault.${VAULTS}.svc:8200`,
            '/spec/provider/vault/auth/kubernetes/role': role,
          },
        ),
        replacing(
          { kind: 'ExternalSecret' },
          { '/spec/dataFrom/0/extract/key': PATH, '/spec/refreshInterval': '5s' },
        ),
      ],
    },
  }
}

let api: Cluster
let platform: Platform
let tree: Tree
beforeAll(async () => {
  api = await openLab()
  const { images } = await pullRelease(await demoRelease(), AbortSignal.timeout(30_000))
  const [opened] = await Promise.all([
    openPlatform({ namespace: VAULTS, images, vaultRoles: roles }),
    clearNamespace(NAMESPACE, api),
  ])
  platform = opened
  tree = await plantTree('vault', {
    images,
    overlays: Object.fromEntries(ROLES.map((role) => [role, overlayFor(role)])),
    environments: Object.fromEntries(
      ROLES.map((role) => [role, { overlay: `overlays/${role}`, namespace: NAMESPACE }]),
    ),
  })
})
afterAll(async () => {
  await dropNamespace(NAMESPACE, api)
  await platform.close()
})

describe('M15: Vault, of which a stand-in plays the API', () => {
  const values = {
    DATABASE_URL: 'postgresql://todo:first@database:5432/todo',
    AUTH_SECRET: 'a-signing-key-out-of-the-stand-in',
    OPENAI_API_KEY: 'a key with "quotes" and a $',
  }

  it.each([
    {
      role: 'stranger',
      of: 'SecretStore todo-stack-vault/todo-secret-store',
      says: /can't use this store .*service account name not authorized/,
    },
    {
      role: 'denied',
      of: 'ExternalSecret todo-stack-vault/todo-secrets',
      says: /can't read its values .*permission denied/,
    },
  ])('refuses a role that is $role, and deploy says so soon', async ({ role, of, says }) => {
    await platform.keepInVault(PATH, values)
    const began = performance.now()
    const call = await deployTree(tree, role)
    const seconds = Math.round((performance.now() - began) / 1000)
    recordFact('secrets', `Vault stand-in: ${role}`, { seconds, outcome: outcomeOf(call) })
    expect(call.status).toBe(3)
    expect(call.firstLine).toContain(`${of} will not become ready`)
    expect(call.firstLine).toMatch(says)
    expect(call.report).toMatchObject({ cause: 'secret-store-failed' })
    expect(seconds).toBeLessThan(60)
    expect(await valuesOf(NAMESPACE, 'todo-secrets', api)).toEqual({})
  })

  it('names a value that is missing', async () => {
    const { AUTH_SECRET: _missing, ...rest } = values
    await platform.keepInVault(PATH, rest)
    const call = await deployTree(tree, 'reader')
    expect(call.firstLine).toMatch(/map has no entry for key "AUTH_SECRET"/)
  })

  it('gives exactly the values that the component asks for', async () => {
    await platform.keepInVault(PATH, { ...values, SOMETHING_ELSE: 'stays there' })
    const call = await deployTree(tree, 'reader')
    recordFact('secrets', 'Vault stand-in: reader', { outcome: outcomeOf(call) })
    expect(call.report).toMatchObject({ outcome: 'deployed' })
    expect(await valuesOf(NAMESPACE, 'todo-secrets', api)).toEqual(values)
  })

  it('gives a new version within the interval of the operator, or at once to a deploy', async () => {
    const second = { ...values, DATABASE_URL: 'postgresql://todo:second@database:5432/todo' }
    await platform.keepInVault(PATH, second)
    expect((await deployTree(tree, 'reader')).report).toMatchObject({ outcome: 'unchanged' })
    expect(await valuesOf(NAMESPACE, 'todo-secrets', api)).toEqual(second)
    await platform.keepInVault(PATH, values)
    const began = performance.now()
    while (
      (await valuesOf(NAMESPACE, 'todo-secrets', api))['DATABASE_URL'] !== values.DATABASE_URL
    ) {
      expect(performance.now() - began).toBeLessThan(INTERVAL_MS)
      await sleep(500)
    }
    const seconds = Math.round((performance.now() - began) / 1000)
    recordFact('secrets', 'Vault stand-in: new version', { seconds })
  })

  function outcomeOf(call: Call): string {
    return textAt(call.report, 'outcome') ?? ''
  }
})
