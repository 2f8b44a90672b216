import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { isObject, parseJson, textAt } from '../../src/json.ts'
import { cluster } from '../e2e/lab.ts'
import { forward } from './forward.ts'
import { clearNamespace, dropNamespace } from './rendered.ts'

/** Somebody who uses the application all the time, through the Service of its frontend, from a namespace of their own. */
export type Visitor = {
  /** What became of all requests: `answered`, or why not. Waits until the visit is over. */
  readonly ends: () => Promise<Readonly<Record<string, number>>>
  /** Ends the visit before its time. */
  readonly stop: () => Promise<void>
}

type Visit = {
  /** Of the application; the visitor's own has `-visitor` behind it. */
  readonly namespace: string
  /** Reference of an image with Node. */
  readonly image: string
  readonly seconds: number
}

const POD = 'visitor'
const SIGN_UP_MS = 30_000
/** Beyond the visit itself: the start of the pod and its last request. */
const PATIENCE_MS = 60_000

/** Signs up through the frontend and begins to read tasks; resolves when requests are on their way. */
export async function startVisitor(visit: Visit): Promise<Visitor> {
  const namespace = `${visit.namespace}-visitor`
  const pods = `/api/v1/namespaces/${namespace}/pods`
  await clearNamespace(namespace, await cluster())
  const get = async (path: string) => await (await cluster()).call({ method: 'GET', path })
  const create = async (path: string, body: unknown) => {
    const answer = await (await cluster()).call({ method: 'POST', path, body })
    if (answer.status >= 300) throw new Error(`${path}: ${answer.text}`)
  }
  await create('/api/v1/namespaces', { metadata: { name: namespace } })
  await create(`/api/v1/namespaces/${namespace}/configmaps`, {
    metadata: { name: POD },
    data: { 'traffic.ts': await readFile('tests/stack/traffic.ts', 'utf8') },
  })
  await create(pods, podOf(visit, await signUp(visit.namespace)))
  const phase = async () => textAt((await get(`${pods}/${POD}`)).body, 'status', 'phase')
  const wait = async (isOver: (phase: string) => boolean, limit: number) => {
    const deadline = Date.now() + limit
    while (!isOver((await phase()) ?? '')) {
      if (Date.now() > deadline) throw new Error(`The visitor is still ${(await phase()) ?? ''}`)
      await sleep(500)
    }
  }
  await wait((found) => found === 'Running', PATIENCE_MS)
  return {
    stop: async () => {
      const argv = ['node', '-e', "process.kill(1, 'SIGTERM')"]
      const how = { namespace, pod: POD, container: POD, argv, timeoutSeconds: 15 }
      await (await cluster()).exec(how)
    },
    ends: async () => {
      await wait((found) => found === 'Succeeded', visit.seconds * 1000 + PATIENCE_MS)
      const { text } = await get(`${pods}/${POD}/log`)
      await dropNamespace(namespace, await cluster())
      // The last line is the result; those before it say why a connection could not be made.
      const lines = text.trim().split('\n')
      if (lines.length > 1) process.stderr.write(`the visitor: ${lines.slice(0, -1).join(', ')}\n`)
      const ends = parseJson(lines.at(-1) ?? '', 'what the visitor says')
      return isObject(ends) ? (ends as Readonly<Record<string, number>>) : {}
    },
  }
}

/** The cookie of a new account. */
async function signUp(namespace: string): Promise<string> {
  const { port, close } = await forward(namespace, 'frontend-service', 3000)
  try {
    const url = `http://127.0.0.1:${port}`
    const answer = await fetch(`${url}/api/auth/sign-up`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: url },
      body: JSON.stringify({ email: 'visitor@example.org', password: 'a-visitor-s-own-password' }),
      signal: AbortSignal.timeout(SIGN_UP_MS),
    })
    if (!answer.ok) throw new Error(`Nobody can sign up: ${answer.status} ${await answer.text()}`)
    return answer.headers
      .getSetCookie()
      .map((cookie) => cookie.split(';')[0] ?? '')
      .join('; ')
  } finally {
    close()
  }
}

function podOf({ namespace, image, seconds }: Visit, cookie: string): unknown {
  const plan = {
    url: `http://frontend-service.${namespace}.svc:3000`,
    requests: [{ method: 'GET', path: '/api/tasks', headers: { cookie } }],
    lasting: 1,
    fresh: 1,
    seconds,
  }
  return {
    metadata: { name: POD },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      containers: [
        {
          name: POD,
          image,
          command: ['node', '/visit/traffic.ts', JSON.stringify(plan)],
          env: [{ name: 'NODE_NO_WARNINGS', value: '1' }],
          resources: { requests: { cpu: '20m', memory: '64Mi' }, limits: { memory: '256Mi' } },
          volumeMounts: [{ name: 'visit', mountPath: '/visit' }],
        },
      ],
      volumes: [{ name: 'visit', configMap: { name: POD } }],
    },
  }
}
