import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { toYaml } from '../../src/yaml.ts'
import { renderEnvironments } from '../../scripts/check-manifests.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { inRealWorld } from '../../src/edge/world.ts'
import { isObject, listAt, at, textAt } from '../../src/json.ts'
import { pullRelease, readManifests, type Release } from '../../src/release/release.ts'
import { formatImageSet } from '../../src/release/imageset.ts'
import { deploy } from '../../src/rollout/deploy.ts'
import type { DeployOptions, DeployResult } from '../../src/rollout/outcome.ts'
import { verify } from '../../src/verify/verify.ts'
import type { World } from '../../src/world.ts'
import { demoRelease, todoDeploy } from '../e2e/lab.ts'
import { fakeWorld } from '../fakes/world.ts'
import { forbidden } from './access/forbidden.ts'
import {
  allowedBy,
  BORNE,
  covers,
  EVERYBODY,
  neededFor,
  RARE,
  record,
  type Recorder,
  renderRole,
  type Right,
  rulesOf,
} from './access/rights.ts'
import { IDENTITIES, openAs, openStage, PREFIX, type Stage } from './access/stage.ts'
import { readStack, smaller, type Stack, withCrash, withoutDatabase } from './access/variants.ts'
import { recordFact } from './facts.ts'
import { listAllComponents } from './optional.ts'

const DEV = `${PREFIX}dev`
const LIMIT_MS = 280_000

let stage: Stage
let release: Release
let dev: Stack
let deployer: Recorder
let verifier: Recorder

async function act<T>(work: (world: World) => Promise<T>): Promise<T> {
  const { progress } = fakeWorld()
  return await inRealWorld({ progress, signal: AbortSignal.timeout(LIMIT_MS) }, work)
}

async function deployAs(who: Recorder, options: DeployOptions): Promise<DeployResult> {
  return await act((world) => deploy(options, who.cluster, world))
}

/** Outcome and message: a failure should say why. */
function endOf({ outcome, message }: DeployResult): string {
  return `${outcome}: ${message}`
}

/** The rights in a Role or ClusterRole, as the cluster has it. */
async function roleOf(path: string): Promise<readonly Right[]> {
  const rbac = '/apis/rbac.authorization.k8s.io/v1'
  const { body } = await stage.admin.call({ method: 'GET', path: `${rbac}${path}` })
  return [...new Set(allowedBy(listAt(body, 'rules')))].toSorted()
}

/** What the server itself lets this login do in a namespace, but for what everybody may. */
async function mayDo(who: Cluster, namespace: string): Promise<readonly Right[]> {
  const all = new Set(allowedBy(await rulesOf(who, namespace)))
  return [...all].filter((right) => !EVERYBODY.includes(right)).toSorted()
}

/** What is allowed and was never asked for. */
function unused(rights: readonly Right[], { used }: Recorder): readonly Right[] {
  return rights.filter((right) => ![...used].some((one) => covers(right, one)))
}

/** What an administrator puts there outside the release; it is not read by anything that runs here. */
async function provideSecret(namespace: string): Promise<void> {
  const keys = ['DATABASE_URL', 'POSTGRES_PASSWORD', 'AUTH_SECRET', 'OPENAI_API_KEY']
  const stringData = Object.fromEntries(keys.map((key) => [key, 'given in a test']))
  const body = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'todo-secrets' }, stringData }
  const path = `/api/v1/namespaces/${namespace}/secrets`
  const answer = await stage.admin.call({ method: 'POST', path, body })
  expect(answer.status).toBe(201)
}

function countOf(rights: readonly Right[]): string {
  const resources = new Set(rights.map((right) => right.split(' ')[1]))
  return `${rights.length} on ${resources.size} resources`
}

beforeAll(async () => {
  stage = await openStage()
  release = await pullRelease(await demoRelease(), AbortSignal.timeout(LIMIT_MS))
  await stage.grant('dev')
  dev = await act((world) => readStack({ folder: stage.folder, name: 'dev' }, release, world))
  deployer = record(await openAs(await stage.login('deployer-dev')))
  verifier = record(await openAs(await stage.login('verifier-dev')))
})

afterAll(async () => {
  await stage.close()
})

describe('the deployer of an environment, by its token,', () => {
  it('takes back all of a first deploy that fails', async () => {
    const broken = dev.variant('broken', withoutDatabase(dev.objects))
    const result = await deployAs(deployer, broken)
    expect(endOf(result)).toMatch(/^rolled-back: .*what this deploy created is removed/)
  })

  it('deploys the whole environment, and finds it unchanged the next time', async () => {
    expect(endOf(await deployAs(deployer, dev.options('good')))).toMatch(/^deployed: /)
    expect(endOf(await deployAs(deployer, dev.options('good')))).toMatch(/^unchanged: /)
  })
})

describe('the verifier of an environment', () => {
  it('comes to its verdict, and each of its rights was needed', async () => {
    const { environment } = dev
    const manifests = await readManifests(stage.folder)
    const what = { environment, release: { ...release, manifests }, place: 'dev' }
    const verdict = await act((world) =>
      verify({ ...what, profile: 'standard', checks: [] }, verifier.cluster, world),
    )
    expect(verdict.checks.filter(({ status }) => status !== 'pass')).toEqual([])
    expect(verdict.verdict).toBe('pass')
    const rights = await roleOf(`/namespaces/${DEV}/roles/verifier-dev`)
    expect(await mayDo(verifier.cluster, DEV)).toEqual(rights)
    expect(unused(rights, verifier)).toEqual([])
    expect([...verifier.refused]).toEqual([])
  })

  it('can not deploy, and is told what it lacks and who can give it', async () => {
    const lock = join(stage.folder, '..', 'images.lock.json')
    await writeFile(lock, formatImageSet(release.images))
    const call = await todoDeploy([
      ...['deploy', '--environment', 'dev', '--path', stage.folder, '--images', lock],
      ...['--kubeconfig', await stage.login('verifier-dev')],
    ])
    expect(call.status).toBe(2)
    expect(call.firstLine).toMatch(
      /^This login may not create configmaps in \S+-dev, and \d+ more; an administrator gives these rights with "kubectl apply -k k8s\/access\/<environment>"/,
    )
    expect(call.stderr).toContain(`missing: patch deployments.apps in ${DEV}`)
  })
})

describe('the workloads', () => {
  it('are given no token, and could do nothing with one', async () => {
    const path = `/api/v1/namespaces/${DEV}/pods`
    const pods = listAt((await stage.admin.call({ method: 'GET', path })).body, 'items')
    const accounts = new Set(pods.map((pod) => textAt(pod, 'spec', 'serviceAccountName') ?? ''))
    expect([...accounts].toSorted()).toEqual(
      dev.objects
        .filter(({ kind }) => kind === 'ServiceAccount')
        .map(({ metadata }) => metadata.name)
        .toSorted(),
    )
    const tokens = pods
      .flatMap((pod) => listAt(pod, 'spec', 'volumes'))
      .flatMap((volume) => listAt(volume, 'projected', 'sources'))
      .filter((source) => isObject(at(source, 'serviceAccountToken')))
    expect(tokens).toEqual([])
    for (const account of accounts) {
      const own = await stage.impersonate(`system:serviceaccount:${DEV}:${account}`)
      for (const namespace of [DEV, 'kube-system']) expect(await mayDo(own, namespace)).toEqual([])
    }
  })
})

describe('the deployer, when it does not go well,', () => {
  it('returns to the good release where the next one crashes, with the words of the container', async () => {
    const result = await deployAs(deployer, dev.variant('crash', withCrash(dev.objects)))
    expect(endOf(result)).toMatch(/^rolled-back: /)
    expect(result.failure?.details.join('\n')).toContain('nothing_at_all')
  })

  it('removes what a smaller release lacks', async () => {
    const result = await deployAs(deployer, dev.variant('smaller', smaller(dev.objects)))
    expect(endOf(result)).toMatch(/^deployed: /)
    for (const path of [
      `/apis/apps/v1/namespaces/${DEV}/deployments/local-model`,
      `/apis/networking.k8s.io/v1/namespaces/${DEV}/ingresses/todo-app`,
    ])
      expect((await stage.admin.call({ method: 'GET', path })).status).toBe(404)
  })
})

describe('the rights of the deployer', () => {
  it('are those that all of this has needed, and no other', async () => {
    const rights = await roleOf(`/namespaces/${DEV}/roles/deployer-dev`)
    expect(unused(rights, deployer).filter((right) => right !== RARE)).toEqual([])
    const refused = [...deployer.refused].filter((right) => !BORNE.test(right))
    expect(refused).toEqual([`patch namespaces ${DEV}`])
    expect(await mayDo(deployer.cluster, DEV)).toEqual(rights)
    expect(rights).toEqual(neededFor(dev.objects))
    recordFact('environments', 'dev', { 'deployer rights': countOf(rights) })
  })

  it('end where its environment ends', async () => {
    for (const namespace of ['default', 'kube-system', 'todo-external', IDENTITIES])
      expect(await mayDo(deployer.cluster, namespace)).toEqual([])
  })

  it.each(forbidden)('do not let it $name', async ({ method, path, body }) => {
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    const answer = await deployer.cluster.call({ method, path, body, contentType })
    expect(textAt(answer.body, 'message')).toMatch(/cannot \w+ resource/)
    expect(answer.status).toBe(403)
  })

  it.each([
    { name: 'staging', namespace: `${PREFIX}staging` },
    { name: 'production', namespace: `${PREFIX}prod` },
  ])(
    'of $name are those that its objects need, as they are tried by impersonation',
    async (env) => {
      const { name, namespace } = env
      await stage.grant(name)
      await provideSecret(namespace)
      const stack = await act((world) => readStack({ folder: stage.folder, name }, release, world))
      const user = `system:serviceaccount:${IDENTITIES}:deployer-${name}`
      const speaking = record(await stage.impersonate(user))
      const { outcome, changes } = await deployAs(speaking, stack.options('any', 'plan'))
      expect(outcome).toBe('planned')
      expect(changes.find(({ object }) => object.kind === 'Namespace')?.action).toBe('unchanged')
      const rights = await mayDo(speaking.cluster, namespace)
      expect(rights).toEqual(neededFor(stack.objects))
      expect(await mayDo(speaking.cluster, DEV)).toEqual([])
      expect(await mayDo(deployer.cluster, namespace)).toEqual([])
      recordFact('environments', name, { 'deployer rights': countOf(rights) })
    },
  )

  it('grow with the optional parts by what these need', async () => {
    const folder = join(stage.folder, '..', 'optional')
    await cp('k8s', folder, { recursive: true })
    await listAllComponents(folder)
    const parts = ['external-secrets', 'gateway'].map((name) => `../components/${name}`)
    const grown = { resources: ['../production'], components: parts }
    await mkdir(join(folder, 'access', 'grown'))
    await writeFile(join(folder, 'access', 'grown', 'kustomization.yaml'), toYaml(grown))
    const role = await act((world) => renderRole(join(folder, 'access', 'grown'), world))
    const all = await act((world) => renderEnvironments(folder, world))
    const objects = all.find(({ name }) => name === 'production')?.objects ?? []
    expect(objects.map(({ kind }) => kind)).toContain('ExternalSecret')
    expect(role).toEqual(neededFor(objects))
  })
})
