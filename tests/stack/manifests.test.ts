import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { applyObject } from '../../src/cluster/apply.ts'
import { planApply } from '../../src/cluster/dryrun.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { discoverResources } from '../../src/cluster/resources.ts'
import { at, isObject, listAt, textAt } from '../../src/json.ts'
import { FIRST_DEPLOY } from '../../src/render/early.ts'
import { imagesOf, type KubeObject, nameOf, podSpecOf } from '../../src/render/manifest.ts'
import { cluster } from '../e2e/lab.ts'
import { recordFact } from './facts.ts'
import { clearNamespace, dropNamespace, renderAs } from './rendered.ts'

const ENVIRONMENTS = ['dev', 'staging', 'production', 'preview']
const LEVELS = ['enforce', 'audit', 'warn'].map((mode) => `pod-security.kubernetes.io/${mode}`)

function ofKind(objects: readonly KubeObject[], ...kinds: readonly string[]): KubeObject[] {
  return objects.filter(({ kind }) => kinds.includes(kind))
}

/** The pod that a workload would make; what a StatefulSet claims is put in as the claim. */
function podOf(workload: KubeObject): Record<string, unknown> {
  const claims = listAt(workload, 'spec', 'volumeClaimTemplates').map((claim) => {
    const name = textAt(claim, 'metadata', 'name') ?? ''
    return { name, persistentVolumeClaim: { claimName: name } }
  })
  const spec = podSpecOf(workload)
  const volumes = [...listAt(spec, 'volumes'), ...claims]
  const labels = at(workload, 'spec', 'template', 'metadata', 'labels')
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: workload.metadata.name, labels },
    spec: { ...(isObject(spec) ? spec : {}), volumes },
  }
}

/** Status and words of the server for a pod that is tried, not made. */
async function tryPod(namespace: string, pod: unknown, api: Cluster): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All`
  const answer = await api.call({ method: 'POST', path, body: pod })
  return `${answer.status} ${textAt(answer.body, 'message') ?? ''}`.trim()
}

describe.each(ENVIRONMENTS)('the manifests of %s', (name) => {
  const namespace = `todo-stack-manifests-${name}`
  let api: Cluster
  let objects: readonly KubeObject[] = []

  beforeAll(async () => {
    api = await cluster()
    await clearNamespace(namespace, api)
    objects = await renderAs(name, { namespace })
    const resources = discoverResources(api)
    // Pods are admitted only where their service accounts are, and policies hold only in a namespace that is there.
    for (const object of ofKind(objects, 'Namespace', 'ServiceAccount'))
      await applyObject(object, resources, api)
  })
  afterAll(async () => {
    await dropNamespace(namespace, api)
  })

  it('are taken by the API server, every one of them', async () => {
    const { changes } = await planApply(objects, api)
    expect(changes).toHaveLength(objects.length)
    if (name !== 'preview') recordFact('environments', name, { objects: objects.length })
  })

  it('let everything that waits by itself begin early at a first deploy', () => {
    const waiting = ofKind(objects, 'Deployment', 'Job')
    expect(waiting.length).toBeGreaterThan(4)
    const late = waiting.filter(({ metadata }) => metadata.annotations?.[FIRST_DEPLOY] !== 'early')
    expect(late.map(nameOf)).toEqual([])
  })

  it('hold in the Pod Security level "restricted", which their namespace asks for', async () => {
    const [space] = ofKind(objects, 'Namespace')
    for (const level of LEVELS) expect(space?.metadata.labels?.[level]).toBe('restricted')
    const workloads = ofKind(objects, 'Deployment', 'StatefulSet', 'Job')
    expect(workloads.length).toBeGreaterThanOrEqual(5)
    for (const workload of workloads)
      expect([nameOf(workload), await tryPod(namespace, podOf(workload), api)]).toEqual([
        nameOf(workload),
        '201',
      ])
  })

  it('would not, if a container asked for more', async () => {
    const [workload] = ofKind(objects, 'Deployment')
    const pod = JSON.stringify(podOf(workload as KubeObject))
    const greedy = pod.replace(
      '"allowPrivilegeEscalation":false',
      '"allowPrivilegeEscalation":true',
    )
    expect(await tryPod(namespace, JSON.parse(greedy), api)).toMatch(/^403 .*restricted/)
  })

  it('give a Secret to a container that only copies it, and the workload the copy in memory', () => {
    for (const workload of ofKind(objects, 'Deployment', 'StatefulSet', 'Job')) {
      const spec = podSpecOf(workload)
      const sources = listAt(spec, 'volumes').filter((volume) => at(volume, 'secret') !== undefined)
      const mounts = (key: string) =>
        listAt(spec, key).flatMap((container) => listAt(container, 'volumeMounts'))
      for (const volume of sources) {
        const mounted = (mount: unknown) => at(mount, 'name') === at(volume, 'name')
        expect(mounts('containers').filter(mounted)).toEqual([])
        expect(mounts('initContainers').filter(mounted)).toHaveLength(1)
        expect(listAt(spec, 'volumes')).toContainEqual(
          expect.objectContaining({
            name: 'secrets',
            emptyDir: expect.objectContaining({ medium: 'Memory' }),
          }),
        )
      }
    }
  })
})

describe('what differs between environments', () => {
  it('is that production has no database of its own: it only migrates an outside one', async () => {
    const objects = await renderAs('production')
    expect(ofKind(objects, 'StatefulSet', 'PersistentVolumeClaim')).toEqual([])
    expect(objects.filter(({ metadata }) => metadata.name.includes('postgresql'))).toEqual([])
    const usesIt = objects.filter((object) =>
      imagesOf(object).some((image) => image.includes('/database@')),
    )
    expect(usesIt.map(({ kind }) => kind)).toEqual(['Job'])
    expect(ofKind(await renderAs('staging'), 'StatefulSet')).toHaveLength(1)
  })

  it('is that development brings its Secret, named by its content, and the others bring none', async () => {
    const [secret, ...more] = ofKind(await renderAs('dev'), 'Secret')
    expect(more).toEqual([])
    expect(secret?.metadata.name).toMatch(/^todo-secrets-[a-z0-9]{10}$/)
    const workloads = ofKind(await renderAs('dev'), 'Deployment', 'StatefulSet', 'Job')
    const read = workloads.flatMap((workload) =>
      listAt(podSpecOf(workload), 'volumes').flatMap(
        (volume) => textAt(volume, 'secret', 'secretName') ?? [],
      ),
    )
    expect(new Set(read)).toEqual(new Set([secret?.metadata.name]))
    for (const name of ['staging', 'production'])
      expect(ofKind(await renderAs(name), 'Secret')).toEqual([])
  })

  it('is not how often a pod is there: that belongs to the autoscaler, or to a person without it', async () => {
    for (const name of ENVIRONMENTS) {
      const objects = await renderAs(name)
      for (const workload of ofKind(objects, 'Deployment'))
        expect(at(workload, 'spec', 'replicas')).toBeUndefined()
      for (const scaler of ofKind(objects, 'HorizontalPodAutoscaler'))
        expect(at(scaler, 'spec', 'maxReplicas')).toBe(10)
      expect(ofKind(objects, 'HorizontalPodAutoscaler')).toHaveLength(4)
    }
  })
})
