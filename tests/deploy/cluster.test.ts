import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { at, textAt } from '../../src/json.ts'
import { openRepository } from '../../src/registry/client.ts'
import { copyImage } from '../../src/registry/copy.ts'
import { deployment, goodRelease, service } from './failures/objects.ts'
import { openStage, shellImage, type Stage } from './failures/stage.ts'
import { DENIED, openPolicy } from './policy.ts'
import { nodeImage } from './shop.ts'
import { openWebhook } from './webhook.ts'

/** What happens to the cluster itself, and to what it needs, while a deploy is under way. */
let image = ''
let stage: Stage
const seed = () => ({ namespace: stage.namespace, image })

beforeAll(async () => {
  image = await shellImage()
  stage = await openStage('cluster')
  await stage.deploy({ identity: 'r0', objects: goodRelease(seed()) })
})
afterAll(async () => {
  await stage.close()
})

const NODE = 'todo-deploy-control-plane'
async function onNode(...argv: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('docker', ['exec', NODE, ...argv])
  return stdout.trim()
}

/** Deploys a good release, and calls `meanwhile` as soon as it waits for pods. */
async function deployWhile(version: string, meanwhile: () => Promise<void>) {
  let went: Promise<void> | undefined
  const watching = setInterval(() => {
    if (went === undefined && stage.said.some(({ line }) => line.includes('Roll out workloads')))
      went = meanwhile()
  }, 50)
  const objects = goodRelease(seed(), { version })
  const result = await stage.deploy({ identity: version, objects }).finally(() => {
    clearInterval(watching)
  })
  if (went === undefined) throw new Error('the deploy was over before it could be disturbed')
  await went
  return result
}

async function versionNow(): Promise<string> {
  const path = `/apis/apps/v1/namespaces/${stage.namespace}/deployments/web`
  const { body } = await stage.cluster.call({ method: 'GET', path })
  return textAt(body, 'spec', 'template', 'spec', 'containers', 0, 'command', 2) ?? ''
}

describe('an image that disappears between plan and apply', () => {
  it('is named as the cause, and what ran before runs on', async () => {
    const before = await versionNow()
    const [name = '', digest = ''] = image.split('@')
    const [registry = '', ...path] = name.split('/')
    const signal = AbortSignal.timeout(60_000)
    const from = openRepository({ registry, repository: path.join('/') }, signal)
    const to = openRepository({ registry, repository: 'faults/vanishing' }, signal)
    await copyImage(digest, from, to)
    const objects = [
      service(seed()),
      deployment({ ...seed(), image: `${to.name}@${digest}` }, { command: ['sleep', '1000'] }),
    ]
    const plan = await stage.deploy({ identity: 'gone', objects, options: { mode: 'plan' } })
    expect(plan.outcome).toBe('planned')
    const manifest = `http://${registry}/v2/faults/vanishing/manifests/${digest}`
    const removed = await fetch(manifest, { method: 'DELETE' })
    expect(removed.status).toBe(202)
    const { planHash } = plan
    const result = await stage.deploy({ identity: 'gone', objects, options: { planHash } })
    expect(result.failure?.rolloutCause?.code).toBe('image-not-found')
    expect(result.outcome).toBe('rolled-back')
    expect(await versionNow()).toBe(before)
  })
})

describe('a webhook that denies', () => {
  let close = (): Promise<void> => Promise.resolve()
  beforeAll(async () => {
    close = await openWebhook(stage, await nodeImage())
  })
  afterAll(async () => {
    await close()
  })
  const denied = (when: string) => {
    const [first, web] = goodRelease(seed(), { version: when })
    if (first === undefined || web === undefined) throw new Error('no release')
    const metadata = { ...web.metadata, annotations: { deny: when } }
    return [first, { ...web, metadata }]
  }

  it('is heard before anything is written', async () => {
    const before = await versionNow()
    await expect(stage.deploy({ identity: 'denied', objects: denied('always') })).rejects.toThrow(
      /Deployment \S+\/web: .*not on a Saturday/,
    )
    expect(await versionNow()).toBe(before)
  })

  it('is undone where it says so only when it is written for good', async () => {
    const before = await versionNow()
    const result = await stage.deploy({ identity: 'denied late', objects: denied('for-real') })
    expect(result.failure?.rolloutCause?.code).toBe('admission-denied')
    expect(result.message).toMatch(/^Deployment \S+\/web was refused: .*not on a Saturday/)
    expect(result.outcome).toBe('rolled-back')
    expect(await versionNow()).toBe(before)
  })
})

describe('a policy of the cluster that denies', () => {
  let close = (): Promise<void> => Promise.resolve()
  beforeAll(async () => {
    close = await openPolicy(stage)
  })
  afterAll(async () => {
    await close()
  })

  it('is heard before anything is written', async () => {
    const before = await versionNow()
    const [first, web] = goodRelease(seed(), { version: 'of-policy' })
    if (first === undefined || web === undefined) throw new Error('no release')
    const objects = [first, { ...web, metadata: { ...web.metadata, annotations: DENIED } }]
    const refused = stage.deploy({ identity: 'denied by policy', objects })
    await expect(refused).rejects.toThrow(/Deployment \S+\/web: .*not on a Sunday/)
    await expect(refused).rejects.toHaveProperty('code', 'admission-denied')
    expect(await versionNow()).toBe(before)
  })

  it('is named as the cause where it denies the pods alone', async () => {
    const before = await versionNow()
    const web = deployment(seed(), { command: ['sleep', '1000'] })
    const template = at(web, 'spec', 'template') as { readonly metadata: object }
    const metadata = { ...template.metadata, annotations: DENIED }
    const spec = { ...(web['spec'] as object), template: { ...template, metadata } }
    const objects = [service(seed()), { ...web, spec }]
    const result = await stage.deploy({ identity: 'pods denied', objects })
    expect(result.failure?.rolloutCause?.code).toBe('admission-denied')
    expect(result.message).toContain('not on a Sunday')
    expect(result.outcome).toBe('rolled-back')
    expect(await versionNow()).toBe(before)
  })
})

describe('an API server that is killed in the middle of a deploy', () => {
  it('comes back, and the deploy goes on to its end', async () => {
    const before = await onNode('pgrep', '-x', 'kube-apiserver')
    const result = await deployWhile('restarted', async () => {
      await onNode('kill', '-KILL', before)
    })
    expect(await onNode('pgrep', '-x', 'kube-apiserver')).not.toBe(before)
    expect([result.outcome, result.message]).toEqual(['deployed', result.message])
    expect(await versionNow()).toContain(': restarted;')
  })
})

describe('a node that goes away in the middle of a deploy', () => {
  it('is named as the cause, and when it is back the next deploy succeeds', async () => {
    const path = `/api/v1/nodes/${NODE}`
    const isReady = async () => {
      const { body } = await stage.cluster.call({ method: 'GET', path })
      return JSON.stringify(body).includes('"reason":"KubeletReady","status":"True"')
    }
    const result = await deployWhile('lonely', async () => {
      await onNode('systemctl', 'stop', 'kubelet')
      // It comes back when the deploy has given up and returns to what ran before.
      while (!stage.said.some(({ line }) => line.startsWith('▸ Return to'))) await sleep(200)
      await onNode('systemctl', 'start', 'kubelet')
    }).finally(() => onNode('systemctl', 'start', 'kubelet'))
    expect(result.failure?.rolloutCause?.code).toBe('node-not-ready')
    expect(result.message).toMatch(/its node \S+ is not ready: .*mend the node, or drain it/)
    expect(result.outcome).toBe('rolled-back')
    for (let time = 0; time < 60 && !(await isReady()); time += 1) await sleep(1000)
    const after = await stage.deploy({
      identity: 'after',
      objects: goodRelease(seed(), { version: 'after' }),
    })
    expect(after.outcome).toBe('deployed')
  }, 400_000)
})
