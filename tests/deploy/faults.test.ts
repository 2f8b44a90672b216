import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { readState } from '../../src/cluster/state.ts'
import { textAt } from '../../src/json.ts'
import type { DeployResult } from '../../src/rollout/outcome.ts'
import { deployment, goodRelease, service, shell } from './failures/objects.ts'
import { openProxy, type Proxy } from './failures/proxy.ts'
import { openStage, shellImage, type Stage } from './failures/stage.ts'

/** What happens between us and the API server: cut, refused, overloaded, slow, and clocks that differ. */
let image = ''
let stage: Stage
let proxy: Proxy
const seed = () => ({ namespace: stage.namespace, image })

beforeAll(async () => {
  image = await shellImage()
  stage = await openStage('faults')
  await stage.deploy({ identity: 'r0', objects: goodRelease(seed()) })
})
afterAll(async () => {
  await stage.close()
})
beforeEach(async () => {
  proxy = await openProxy()
})
afterEach(async () => {
  await proxy.close()
})

/** Deploys a good release of a new version through the proxy; `meanwhile` is called as soon as workloads are written. */
async function deployThrough(
  version: string,
  meanwhile: () => Promise<void> = () => Promise.resolve(),
) {
  const cluster = await proxy.cluster()
  const went: Promise<void>[] = []
  const trick = proxy.trick
  proxy.trick = (method, path) => {
    if (
      method === 'PATCH' &&
      path.includes('/deployments/web') &&
      !path.includes('dryRun') &&
      went.length === 0
    )
      went.push(meanwhile())
    return trick(method, path)
  }
  const result = await stage.deploy({
    identity: version,
    objects: goodRelease(seed(), { version }),
    cluster,
  })
  await Promise.all(went)
  return result
}

function told({ outcome, message }: DeployResult): string {
  return `${outcome}: ${message}`
}

async function versionNow(): Promise<string> {
  const path = `/apis/apps/v1/namespaces/${stage.namespace}/deployments/web`
  const { body } = await stage.cluster.call({ method: 'GET', path })
  return textAt(body, 'spec', 'template', 'spec', 'containers', 0, 'command', 2) ?? ''
}

describe('a deploy whose way to the API server fails', () => {
  it('goes on where all connections are cut in the middle of the rollout, watches too', async () => {
    const result = await deployThrough('cut', async () => {
      for (let time = 0; time < 3; time += 1) {
        await sleep(700)
        await proxy.cut()
      }
    })
    expect(told(result)).toContain('deployed')
    expect(await versionNow()).toContain(': cut;')
  })

  it('waits for a server that is away for 15 seconds, and judges nothing meanwhile', async () => {
    const result = await deployThrough('away', async () => {
      await sleep(300)
      await proxy.cut(true)
      await sleep(15_000)
      await proxy.mend()
    })
    expect(told(result)).toContain('deployed')
    expect(await versionNow()).toContain(': away;')
  })

  it('bears a storm of 429, and waits as long as the server asks for', async () => {
    let refused = 0
    proxy.trick = (_method, path) => {
      if (path.startsWith('/version') || Math.random() < 0.5) return 'pass'
      refused += 1
      return { status: 429, retryAfter: 1 }
    }
    const result = await deployThrough('storm')
    expect(told(result)).toContain('deployed')
    expect(refused).toBeGreaterThan(10)
  })

  it('bears an etcd that is slow, and one that gives up now and then', async () => {
    proxy.delayMs = 400
    let refused = 0
    proxy.trick = (method) => {
      if (method === 'GET' || Math.random() < 0.6) return 'pass'
      refused += 1
      return { status: 500, body: { kind: 'Status', message: 'etcdserver: request timed out' } }
    }
    const result = await deployThrough('slow')
    expect(told(result)).toContain('deployed')
    expect(refused).toBeGreaterThan(0)
  })

  it('polls where it may not watch', async () => {
    proxy.trick = (_method, path) => (path.includes('watch=1') ? { status: 403 } : 'pass')
    const result = await deployThrough('polled')
    expect(told(result)).toContain('deployed')
    const watches = proxy.asked.filter((asked) => asked.includes('watch=1'))
    // Each kind is tried once by each of the two that look, and never again.
    expect(watches.length).toBeLessThan(30)
  })

  it('still finds the cause of a failure where it may not watch, and may not see events', async () => {
    proxy.trick = (_method, path) =>
      path.includes('watch=1') || path.includes('/events') ? { status: 403 } : 'pass'
    const broken = deployment(seed(), { command: shell('exit 5'), readinessProbe: undefined })
    const result = await stage.deploy({
      identity: 'broken',
      objects: [service(seed()), broken],
      cluster: await proxy.cluster(),
    })
    expect(result.failure?.rolloutCause?.code).toBe('crash-loop')
    expect(result.outcome).toBe('rolled-back')
  })
})

describe('a watch that falls silent', () => {
  it('is opened anew when it is refused for a while', async () => {
    let isRefused = true
    proxy.trick = (_method, path) =>
      isRefused && path.includes('/deployments?watch=1') ? { status: 500 } : 'pass'
    const result = await deployThrough('refused', async () => {
      await sleep(4_000)
      isRefused = false
    })
    expect(told(result)).toContain('deployed')
  })

  it('is given up when nothing has come for 75 seconds, and what it has missed is seen', async () => {
    const began = performance.now()
    const result = await deployThrough('silent', () => {
      proxy.silence()
      return Promise.resolve()
    })
    const seconds = (performance.now() - began) / 1000
    expect(told(result)).toContain('deployed')
    // Sooner, and the silence was none.
    expect(seconds).toBeGreaterThan(60)
    expect(seconds).toBeLessThan(115)
  }, 180_000)
})

describe('clocks that differ', () => {
  it.each([
    { name: 'an hour early', skew: 3_600_000 },
    { name: 'an hour late', skew: -3_600_000 },
  ])('do not matter: a runner that is $name', async ({ name, skew }) => {
    const clock = {
      now: () => new Date(Date.now() + skew),
      sleep: async (milliseconds: number, signal: AbortSignal) => {
        await sleep(milliseconds, undefined, { signal })
      },
    }
    const good = await stage.deploy({
      identity: name,
      objects: goodRelease(seed(), { version: name.replaceAll(' ', '-') }),
      world: { clock },
    })
    expect(told(good)).toContain('deployed')
    const broken = deployment(seed(), { command: shell('exit 5'), readinessProbe: undefined })
    const bad = await stage.deploy({
      identity: `${name}, broken`,
      objects: [service(seed()), broken],
      world: { clock },
    })
    expect(bad.failure?.rolloutCause?.code).toBe('crash-loop')
    expect((await readState(stage.namespace, stage.cluster))?.good?.release).toBe(name)
  })
})
