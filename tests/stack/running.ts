import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import { isObject, parseJson, textAt } from '../../src/json.ts'
import { addressOf, answers, docker, environment, secondsUntil, start } from './docker.ts'

/** Everything of a run carries this in its name. */
export const RUN = 'todo-stack-images'
const READY_S = 60
const TRAFFIC_S = 30
const TRAFFIC_LIMIT_MS = 90_000
const CONNECTIONS = 20
/** Then every connection has been used, and the next request on it is under way. */
const BUSY_AFTER = 60

export const memory: Readonly<Record<string, readonly string[]>> = {
  database: ['/var/run/postgresql', '/var/lib/postgresql/data'],
}
export const ports: Readonly<Record<string, string>> = {
  frontend: '3000',
  'frontend-static': '3000',
  backend: '8000',
  'mcp-server': '8001',
  'ai-agent': '8002',
  'local-model': '8003',
}
const DATABASE_URL = 'postgresql://todo:made-up@database:5432/todo'

/** What each service is told; enough to start, and to work where the others are there. */
export const settings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  database: { POSTGRES_PASSWORD: 'made-up' },
  'mcp-server': { DATABASE_URL },
  'ai-agent': {
    MCP_SERVER_URL: 'http://mcp-server:8001/mcp',
    OPENAI_BASE_URL: 'http://slow-model:8003/v1',
    OPENAI_API_KEY: 'made-up',
  },
  backend: {
    DATABASE_URL,
    AUTH_SECRET: 'made-up-made-up-made-up-made-up-made-up',
    AI_AGENT_URL: 'http://ai-agent:8002',
  },
  frontend: { BACKEND_URL: 'http://backend:8000' },
  'frontend-static': { BACKEND_URL: 'http://backend:8000' },
  'local-model': {},
}

/** Starts the real stack in a network of its own; only the model is a stand-in, which takes its time. */
export async function startStack(
  image: (name: string) => string,
  frontends: readonly string[],
): Promise<void> {
  await docker('network', 'create', RUN)
  const add = (name: string, more: { readonly argv?: readonly string[] } = {}) =>
    start({
      name: `${RUN}-${name}`,
      image: image(name),
      network: RUN,
      alias: name,
      env: settings[name] ?? {},
      ports: [ports[name] ?? '5432'],
      memory: name === 'database' ? ['/var/run/postgresql'] : [],
      volumes: name === 'database' ? [`${RUN}-data:/var/lib/postgresql/data`] : [],
      ...more,
    })
  await add('database')
  await secondsUntil(isDatabaseReady(`${RUN}-database`), READY_S)
  await docker(
    ...[
      'run',
      '--rm',
      '--name',
      `${RUN}-migrate`,
      '--network',
      RUN,
      '--read-only',
      '--tmpfs',
      '/tmp',
    ],
    ...['--env', `DATABASE_URL=${DATABASE_URL}`, image('database'), '/usr/local/bin/migrate'],
  )
  await start({
    name: `${RUN}-slow-model`,
    ...{ image: image('frontend'), network: RUN, alias: 'slow-model' },
    argv: ['node', '-e', SLOW_MODEL],
  })
  const services = ['mcp-server', 'ai-agent', 'backend', ...frontends]
  for (const name of services) await add(name)
  for (const name of services) await waitUntilReady(name)
}

export async function waitUntilReady(name: string): Promise<void> {
  const address = await addressOf(`${RUN}-${name}`, ports[name] ?? '')
  const path = name.startsWith('frontend') ? '/api/ready' : '/ready'
  await secondsUntil(() => answers(`${address}${path}`), READY_S)
}

export function isDatabaseReady(container: string): () => Promise<boolean> {
  return async () => {
    await docker('exec', container, 'pg_isready', '--quiet', '--host', '127.0.0.1')
    return true
  }
}

/** A model that answers after a second and a half: how requests come to last. */
const SLOW_MODEL = `require('node:http').createServer((request, response) => {
  request.resume()
  const message = { role: 'assistant', content: 'done' }
  const body = { id: 'x', object: 'chat.completion', created: 1, model: 'slow', choices: [{ index: 0, finish_reason: 'stop', message }] }
  setTimeout(() => response.setHeader('content-type', 'application/json').end(JSON.stringify(body)), 1500)
}).listen(8003)`

export type Shutdown = {
  readonly answered: number
  readonly lost: Readonly<Record<string, number>>
  readonly status: string
  readonly seconds: number
}

/** Ends a service while it is kept busy over connections that are used again and again, and counts what became of the requests. */
export async function shutDown(name: string, image: (name: string) => string): Promise<Shutdown> {
  const plan = JSON.stringify({
    url: `http://${name}:${ports[name] ?? ''}`,
    requests: requestsTo(name, await signUp()),
    ...{ lasting: CONNECTIONS, fresh: 0, seconds: TRAFFIC_S, busyAfter: BUSY_AFTER },
  })
  const folder = resolve('tests', 'stack')
  const traffic = spawn(
    'docker',
    [
      ...['run', '--rm', '--name', `${RUN}-traffic`, '--network', RUN],
      ...['--volume', `${folder}:/traffic:ro`, image('frontend')],
      ...['node', '/traffic/traffic.ts', plan],
    ],
    { env: environment, timeout: TRAFFIC_LIMIT_MS, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let [told, said] = ['', '']
  traffic.stdout.setEncoding('utf8').on('data', (chunk: string) => (told += chunk))
  traffic.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  const ended = new Promise((resolve) => traffic.on('close', resolve))
  await secondsUntil(() => Promise.resolve(said.includes('busy')), READY_S)
  const started = performance.now()
  await docker('stop', '--time', '40', `${RUN}-${name}`)
  const seconds = (performance.now() - started) / 1000
  const status = await docker('inspect', '--format', '{{.State.ExitCode}}', `${RUN}-${name}`)
  await ended
  const ends = parseJson(told, `the traffic: ${said}`)
  const counts = Object.entries(isObject(ends) ? ends : {}).map(
    ([end, count]) => [end, Number(count)] as const,
  )
  return {
    answered: counts.find(([end]) => end === 'answered')?.[1] ?? 0,
    lost: Object.fromEntries(counts.filter(([end]) => end.startsWith('lost'))),
    ...{ status, seconds },
  }
}

type Person = { readonly token: string; readonly id: string }

async function signUp(): Promise<Person> {
  const backend = await addressOf(`${RUN}-backend`, '8000')
  const answer = await fetch(`${backend}/api/auth/sign-up`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: `${crypto.randomUUID()}@example.org`, password: 'made-up-too' }),
  })
  const session: unknown = await answer.json()
  return { token: textAt(session, 'token') ?? '', id: textAt(session, 'user', 'id') ?? '' }
}

/** Short requests and one that lasts, where the service has such. */
function requestsTo(name: string, { token, id }: Person): readonly unknown[] {
  const json = { 'content-type': 'application/json' }
  const call = (path: string, headers: Readonly<Record<string, string>>, body: unknown) => ({
    ...{ method: 'POST', path, headers: { ...json, ...headers }, body: JSON.stringify(body) },
  })
  const message = 'how are you'
  if (name === 'ai-agent')
    return [
      { method: 'GET', path: '/health', headers: {} },
      call('/chat', {}, { user_id: id, history: [], message }),
    ]
  if (name === 'mcp-server') {
    const accept = 'application/json, text/event-stream'
    const params = { name: 'list_tasks', arguments: {} }
    const headers = { accept, 'x-user-id': id, 'mcp-protocol-version': '2025-06-18' }
    return [call('/mcp', headers, { jsonrpc: '2.0', id: 1, method: 'tools/call', params })]
  }
  const who: Record<string, string> =
    name === 'backend' ? { authorization: `Bearer ${token}` } : { cookie: `todo_session=${token}` }
  const short = { method: 'GET', path: '/api/tasks', headers: who }
  return [short, short, call('/api/chat', who, { message })]
}
