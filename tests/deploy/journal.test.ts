import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readState } from '../../src/cluster/state.ts'
import { listAt, textAt } from '../../src/json.ts'
import { openProxy, type Proxy } from './failures/proxy.ts'
import { releaseOf } from './failures/releases.ts'
import { openStage, shellImage, type Stage } from './failures/stage.ts'

/** With ALL=1 every write is tried, else a few of them. */
const EVERY = process.env['ALL'] === '1' ? 1 : 4
/** More than a deploy of these releases needs. */
const WRITES = 16
const AT_ONCE = 4

let image = ''
beforeAll(async () => {
  image = await shellImage()
})

function startDeployer(proxy: Proxy, namespace: string, identity: string): ChildProcess {
  const script = 'tests/deploy/failures/deployer.ts'
  return spawn(process.execPath, [script, proxy.kubeconfig, namespace, image, identity], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

function ended(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      resolve({ code, signal })
    })
  })
}

function isWrite(method: string, path: string): boolean {
  return method !== 'GET' && !path.includes('dryRun') && !path.includes('selfsubject')
}

/** Names of what is in the namespace of what releases bring. */
async function contentOf({ namespace, cluster }: Stage): Promise<readonly string[]> {
  const found: string[] = []
  for (const path of [
    `/api/v1/namespaces/${namespace}/configmaps`,
    `/apis/apps/v1/namespaces/${namespace}/deployments`,
  ]) {
    const { body } = await cluster.call({ method: 'GET', path })
    found.push(...listAt(body, 'items').map((item) => textAt(item, 'metadata', 'name') ?? ''))
  }
  return found.filter((name) => name !== 'kube-root-ca.crt').toSorted()
}

/** A deploy of `killed` that is ended by SIGKILL at its write number `at`; false where it has fewer. */
async function killAtWrite(stage: Stage, killed: string, at: number): Promise<boolean> {
  const proxy = await openProxy()
  try {
    let writes = 0
    const child = startDeployer(proxy, stage.namespace, killed)
    const end = ended(child)
    proxy.trick = (method, path) => {
      if (!isWrite(method, path)) return 'pass'
      writes += 1
      if (writes < at) return 'pass'
      child.kill('SIGKILL')
      // One half of them arrives, as it may.
      return at % 2 === 0 ? 'pass' : 'cut'
    }
    const { signal } = await end
    await sleep(500)
    return signal === 'SIGKILL'
  } finally {
    await proxy.close()
  }
}

const points = Array.from({ length: WRITES }, (_none, index) => index + 1).filter(
  (at) => at % EVERY === 1 % EVERY,
)

describe('a deploy that is killed', () => {
  it.each([
    { name: 'is resumed by the next one of the same release', killed: 'two', next: 'two' },
    { name: 'is taken back by one of another release', killed: 'two', next: 'three' },
    { name: 'that fails is taken back by the last good one', killed: 'broken', next: 'one' },
  ])('$name, wherever it was killed', async ({ killed, next }) => {
    const queue = [...points]
    const said: string[] = []
    const work = async () => {
      for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
        const stage = await openStage(`kill-${killed}-${next}-${at}`)
        const seed = { namespace: stage.namespace, image }
        try {
          await stage.deploy({ identity: 'one', objects: releaseOf('one', seed) })
          const wasKilled = await killAtWrite(stage, killed, at)
          const pending = (await readState(stage.namespace, stage.cluster))?.pending
          const result = await stage.deploy({ identity: next, objects: releaseOf(next, seed) })
          expect(['deployed', 'unchanged']).toContain(result.outcome)
          const lines = stage.said.map(({ line }) => line).join('\n')
          if (pending !== undefined)
            expect(lines).toContain(next === killed ? 'this one resumes it' : 'this one takes over')
          said.push(
            `${at}${wasKilled ? '' : ' (had ended)'}${pending === undefined ? ' -' : ' pending'}`,
          )
          const state = await readState(stage.namespace, stage.cluster)
          expect(state?.pending).toBeUndefined()
          expect(state?.good?.release).toBe(next)
          expect(await contentOf(stage)).toEqual([`of-${next}`, 'web'].toSorted())
        } finally {
          await stage.close()
        }
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    process.stdout.write(`killed at write: ${said.join(', ')}\n`)
    expect(said.some((line) => line.includes('pending'))).toBe(true)
  })
})

describe('a deploy that the runner cancels', () => {
  let stage: Stage
  let proxy: Proxy
  beforeAll(async () => {
    stage = await openStage('cancel')
    proxy = await openProxy()
    const seed = { namespace: stage.namespace, image }
    await stage.deploy({ identity: 'one', objects: releaseOf('one', seed) })
  })
  afterAll(async () => {
    await proxy.close()
    await stage.close()
  })

  it('ends within the time it is given, lets go of the lease, and is resumed at once', async () => {
    const child = startDeployer(proxy, stage.namespace, 'two')
    const end = ended(child)
    const reached = new Promise<void>((resolve) => {
      proxy.trick = (method, path) => {
        if (isWrite(method, path) && path.includes('/deployments/web')) resolve()
        return 'pass'
      }
    })
    await reached
    const began = Date.now()
    child.kill('SIGINT')
    expect(await end).toEqual({ code: 130, signal: null })
    expect(Date.now() - began).toBeLessThan(7_500)
    const lease = `/apis/coordination.k8s.io/v1/namespaces/${stage.namespace}/leases/todo-deploy`
    expect((await stage.cluster.call({ method: 'GET', path: lease })).status).toBe(404)
    expect((await readState(stage.namespace, stage.cluster))?.pending?.release).toBe('two')
    const seed = { namespace: stage.namespace, image }
    const result = await stage.deploy({ identity: 'two', objects: releaseOf('two', seed) })
    expect(result.outcome).toBe('deployed')
    expect(stage.said.map(({ line }) => line).join('\n')).toContain('this one resumes it')
  })
})

describe('two deploys at once', () => {
  let stage: Stage
  let other: Stage
  beforeAll(async () => {
    stage = await openStage('two')
    other = { ...stage, said: [] }
    const seed = { namespace: stage.namespace, image }
    await stage.deploy({ identity: 'one', objects: releaseOf('one', seed) })
  })
  afterAll(async () => {
    await stage.close()
  })
  const both = async (earlier: string, concurrent: 'wait' | 'refuse') => {
    const seed = { namespace: stage.namespace, image }
    const first = stage.deploy({ identity: earlier, objects: releaseOf(earlier, seed) })
    await sleep(2_500)
    const second = other.deploy({
      ...{ identity: 'three', objects: releaseOf('three', seed) },
      options: { concurrent },
    })
    return await Promise.allSettled([first, second])
  }

  it('go one after the other, and the later one wins', async () => {
    const ends = await both('two', 'wait')
    expect(
      ends.map((end) => (end.status === 'fulfilled' ? end.value.outcome : String(end.reason))),
    ).toEqual(['deployed', 'deployed'])
    expect(await contentOf(stage)).toEqual(['of-three', 'web'])
  })

  it('or the second is refused, where that was asked for', async () => {
    const [first, second] = await both('slow', 'refuse')
    expect(first.status === 'fulfilled' && first.value.outcome).toBe('deployed')
    expect(second.status === 'rejected' ? String(second.reason) : 'it was not').toContain(
      'is deploying to',
    )
    expect(await contentOf(stage)).toEqual(['of-slow', 'web'])
  })
})
