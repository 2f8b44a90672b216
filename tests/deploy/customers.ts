import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { isObject, textAt } from '../../src/json.ts'
import { nodeImage } from './shop.ts'

/** What became of all requests. */
export type Sum = {
  readonly sent: number
  readonly answered: number
  /** Not even sent, for the machine could not carry more. */
  readonly skipped: number
  readonly versions: Readonly<Record<string, number>>
  readonly lost: Readonly<Record<string, number>>
  /** Milliseconds of the fast ones. */
  readonly p95: number
  /** Which were lost, and when, by the minute and second. */
  readonly lostAt: readonly string[]
}

/** Somebody who keeps a Service busy, from a pod in a namespace of its own. */
export type Customers = {
  /** Which version answered how often, in the seconds since the last call. */
  readonly lately: () => Promise<Readonly<Record<string, number>>>
  /** Ends the load, waits for the last answers and says what became of all requests. */
  readonly stop: () => Promise<Sum>
}

export type Load = {
  readonly namespace: string
  readonly url: string
  /** The name it is asked by, where that leads elsewhere. */
  readonly host?: string
  readonly perSecond: number
  readonly slow?: number
  readonly seconds?: number
}

const POD = 'load'
const START_MS = 90_000
const END_MS = 90_000

/** Starts the load; resolves when the first requests were answered. */
export async function startCustomers(load: Load, api: Cluster): Promise<Customers> {
  const { namespace } = load
  const pods = `/api/v1/namespaces/${namespace}/pods`
  await create(api, '/api/v1/namespaces', { metadata: { name: namespace } })
  await create(api, `/api/v1/namespaces/${namespace}/configmaps`, {
    metadata: { name: POD },
    data: { 'load.ts': await readFile('tests/deploy/load.ts', 'utf8') },
  })
  const plan = { slow: 0.05, seconds: 1_200, ...load }
  await create(api, pods, podOf(JSON.stringify(plan), await nodeImage()))
  const log = async () => {
    const answer = await api.call({ method: 'GET', path: `${pods}/${POD}/log` })
    return answer.status === 200 ? answer.text.split('\n').map(parseLine) : []
  }
  let seen = 0
  const wait = async (what: string, limit: number, isSo: () => Promise<boolean>) => {
    const deadline = Date.now() + limit
    while (!(await isSo())) {
      if (Date.now() > deadline) throw new Error(`The load did not ${what}`)
      await sleep(500)
    }
  }
  await wait('begin', START_MS, async () =>
    (await log()).some((line) => Number(line['answered'] ?? 0) > 0),
  )
  return {
    lately: async () => {
      const lines = (await log()).filter((line) => line['second'] !== undefined)
      const versions: Record<string, number> = {}
      for (const line of lines.slice(seen))
        for (const [version, count] of Object.entries(line['versions'] ?? {}))
          versions[version] = (versions[version] ?? 0) + Number(count)
      seen = lines.length
      return versions
    },
    stop: async () => {
      const argv = ['node', '-e', "process.kill(1, 'SIGTERM')"]
      await api.exec({ namespace, pod: POD, container: POD, argv, timeoutSeconds: 60 })
      await wait('end', END_MS, async () => {
        const { body } = await api.call({ method: 'GET', path: `${pods}/${POD}` })
        return textAt(body, 'status', 'phase') === 'Succeeded'
      })
      const lines = await log()
      const sum = lines.find((line) => line['sum'] === true)
      if (sum === undefined) throw new Error('The load said no sum')
      const losses = lines.filter((line) => typeof line['lost'] === 'string')
      const lostAt = losses.map((line) => `${String(line['at'])} ${String(line['lost'])}`)
      await api.call({ method: 'DELETE', path: `/api/v1/namespaces/${namespace}` })
      return { ...(sum as unknown as Sum), lostAt }
    },
  }
}

function parseLine(line: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(line)
    return isObject(parsed) ? parsed : {}
  } catch {
    return {} // The last line may be half of one.
  }
}

async function create(api: Cluster, path: string, body: unknown): Promise<void> {
  const answer = await api.call({ method: 'POST', path, body })
  if (answer.status >= 300 && answer.status !== 409) throw new Error(`${path}: ${answer.text}`)
}

function podOf(plan: string, image: string): unknown {
  return {
    metadata: { name: POD },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      containers: [
        {
          name: POD,
          image,
          command: ['node', '/load/load.ts', plan],
          env: [{ name: 'NODE_NO_WARNINGS', value: '1' }],
          resources: { requests: { cpu: '20m', memory: '64Mi' }, limits: { memory: '384Mi' } },
          volumeMounts: [{ name: 'load', mountPath: '/load' }],
        },
      ],
      volumes: [{ name: 'load', configMap: { name: POD } }],
    },
  }
}
