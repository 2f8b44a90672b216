import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Answer, Request } from '../../src/cluster/cluster.ts'
import { inRealWorld } from '../../src/edge/world.ts'
import { textAt } from '../../src/json.ts'
import { markPreview, PREVIEW_LABEL, removePreview } from '../../src/preview/preview.ts'
import { pullRelease } from '../../src/release/release.ts'
import { deploy } from '../../src/rollout/deploy.ts'
import type { DeployOptions, DeployResult } from '../../src/rollout/outcome.ts'
import type { World } from '../../src/world.ts'
import { demoRelease } from '../e2e/lab.ts'
import { fakeWorld } from '../fakes/world.ts'
import { allowedBy, neededFor, record, type Recorder, rulesOf } from './access/rights.ts'
import { openAs, openStage, PREFIX, type Stage } from './access/stage.ts'
import { readStack, type Stack, withoutPods } from './access/variants.ts'
import { recordFact } from './facts.ts'

const NAME = 'pr-1'
const HOME = `${PREFIX}preview-${NAME}`
const OTHER = `${PREFIX}other`
const UNMARKED = `${PREFIX}preview-unmarked`
const ENFORCE = 'pod-security.kubernetes.io/enforce'
const TTL_MS = 3_600_000
const LIMIT_MS = 200_000
const FENCE_MS = 30_000

let stage: Stage
let stack: Stack
let previewer: Recorder

beforeAll(async () => {
  stage = await openStage()
  const release = await pullRelease(await demoRelease(), AbortSignal.timeout(LIMIT_MS))
  await stage.grant('preview')
  const place = { folder: stage.folder, name: 'preview', preview: NAME }
  stack = await act((world) => readStack(place, release, world))
  previewer = record(await openAs(await stage.login(`${PREFIX}deployer-preview`)))
  for (const name of [OTHER, UNMARKED])
    await stage.admin.call({ method: 'POST', path: '/api/v1/namespaces', body: namespace(name) })
  await waitForFence()
})

afterAll(async () => {
  for (const name of [HOME, OTHER, UNMARKED])
    await stage.admin.call({ method: 'DELETE', path: `/api/v1/namespaces/${name}` })
  await stage.close()
})

async function act<T>(work: (world: World) => Promise<T>): Promise<T> {
  const { progress } = fakeWorld()
  return await inRealWorld({ progress, signal: AbortSignal.timeout(LIMIT_MS) }, work)
}

async function deployAs(who: Recorder, options: DeployOptions): Promise<DeployResult> {
  return await act((world) => deploy(options, who.cluster, world))
}

function namespace(name: string, labels: Readonly<Record<string, string>> = {}): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }
}

const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'planted' } }

async function attempt(request: Request): Promise<Answer> {
  const contentType =
    request.method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
  return await previewer.cluster.call({ ...request, contentType })
}

/** A policy begins to count a moment after it is made. */
async function waitForFence(): Promise<void> {
  const path = '/api/v1/namespaces?dryRun=All'
  const deadline = Date.now() + FENCE_MS
  for (;;) {
    const answer = await attempt({ method: 'POST', path, body: namespace(`${PREFIX}any`) })
    if (answer.status !== 201) return
    if (Date.now() > deadline) throw new Error('the policy does not count')
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

describe('the deployer of previews', () => {
  it('makes a namespace, and writes nothing there before it is restricted', async () => {
    const { environment } = stack
    await act((world) =>
      markPreview({ environment, name: NAME, ttl: TTL_MS }, previewer.cluster, world),
    )
    const path = `/api/v1/namespaces/${HOME}/configmaps`
    const { status, body } = await attempt({ method: 'POST', path, body: configMap })
    expect(status).toBe(422)
    expect(textAt(body, 'message')).toContain('enforce the Pod Security profile restricted only')
  })

  it('can try all of an environment there, and deploy', async () => {
    expect((await deployAs(previewer, stack.options('all', 'plan'))).outcome).toBe('planned')
    const some = stack.variant('some', withoutPods(stack.objects))
    expect((await deployAs(previewer, some)).outcome).toBe('deployed')
    expect((await deployAs(previewer, some)).outcome).toBe('unchanged')
  })

  it.each([
    {
      name: 'makes no namespace with another name',
      request: { method: 'POST', path: '/api/v1/namespaces', body: namespace(`${PREFIX}more`) },
      says: 'namespaces that begin with',
    },
    {
      name: 'makes no namespace without its mark',
      request: {
        method: 'POST',
        path: '/api/v1/namespaces',
        body: namespace(`${PREFIX}preview-pr-2`),
      },
      says: PREVIEW_LABEL,
    },
    {
      name: 'writes nothing elsewhere',
      request: { method: 'POST', path: `/api/v1/namespaces/${OTHER}/configmaps`, body: configMap },
      says: 'namespaces that begin with',
    },
    {
      name: 'removes nothing elsewhere',
      request: {
        method: 'DELETE',
        path: `/api/v1/namespaces/${OTHER}/configmaps/kube-root-ca.crt`,
      },
      says: 'namespaces that begin with',
    },
    {
      name: 'does not remove the namespace of others',
      request: { method: 'DELETE', path: `/api/v1/namespaces/${OTHER}` },
      says: 'namespaces that begin with',
    },
    {
      name: 'does not remove a namespace that is no preview',
      request: { method: 'DELETE', path: `/api/v1/namespaces/${UNMARKED}` },
      says: PREVIEW_LABEL,
    },
    {
      name: 'does not take a namespace that is no preview',
      request: {
        method: 'PATCH',
        path: `/api/v1/namespaces/${UNMARKED}`,
        body: { metadata: { labels: { [PREVIEW_LABEL]: 'mine' } } },
      },
      says: PREVIEW_LABEL,
    },
    {
      name: 'does not lift Pod Security',
      request: {
        method: 'PATCH',
        path: `/api/v1/namespaces/${HOME}`,
        body: { metadata: { labels: { [ENFORCE]: 'privileged' } } },
      },
      says: 'may not lift Pod Security',
    },
    {
      name: 'does not take the label of Pod Security away',
      request: {
        method: 'PATCH',
        path: `/api/v1/namespaces/${HOME}`,
        body: { metadata: { labels: { [ENFORCE]: null } } },
      },
      says: 'may not lift Pod Security',
    },
  ] satisfies readonly { name: string; request: Request; says: string }[])(
    '$name',
    async ({ request, says }) => {
      const { status, body } = await attempt(request)
      expect(status).toBe(422)
      expect(textAt(body, 'message')).toContain(says)
    },
  )

  it('has the rights of a deployer everywhere, and those for namespaces: no others', async () => {
    const rights = allowedBy(await rulesOf(previewer.cluster, OTHER))
    const verbs = ['list', 'create', 'patch', 'delete'].map((verb) => `${verb} namespaces`)
    const wanted = [...neededFor(stack.objects), ...verbs]
    expect(rights.filter((right) => !right.includes('selfsubject')).toSorted()).toEqual(
      wanted.toSorted(),
    )
    // What docs/access.md warns of: no policy keeps it from reading.
    expect(rights).toContain('list secrets')
    recordFact('environments', 'preview', { 'deployer rights': `${wanted.length}, everywhere` })
  })

  it('removes its namespace', async () => {
    expect(await act((world) => removePreview(HOME, previewer.cluster, world))).toBe(true)
  })
})
