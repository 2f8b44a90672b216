import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { signIn } from '../../lab/demo/person.ts'
import { REGISTRY } from '../e2e/lab.ts'
import { addressOf, docker, sweep } from './docker.ts'
import { recordFact } from './facts.ts'
import { build } from './imagebuild.ts'
import { ports, RUN, shutDown, startStack } from './running.ts'

const names = ['frontend', 'frontend-static', 'backend', 'mcp-server', 'ai-agent', 'database']
const digests = new Map<string, string>()
const image = (name: string) => `${REGISTRY}/${name}@${digests.get(name) ?? ''}`
const policies = ['content-security-policy', 'x-content-type-options', 'referrer-policy']
let served = ''
let exported = ''

beforeAll(async () => {
  sweep(RUN)
  for (const [name, digest] of await build(names, { publish: true })) digests.set(name, digest)
  for (const name of names) await docker('pull', '--quiet', image(name))
  await startStack(image, ['frontend', 'frontend-static'])
  served = await addressOf(`${RUN}-frontend`, ports['frontend'] ?? '')
  exported = await addressOf(`${RUN}-frontend-static`, ports['frontend-static'] ?? '')
}, 900_000)

afterAll(() => {
  sweep(RUN)
})

const post = (path: string, headers: Readonly<Record<string, string>>, body: unknown = {}) =>
  fetch(`${exported}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

test('a person signs up, chats and lists tasks through the files behind nginx', async () => {
  const login = { email: `${crypto.randomUUID()}@example.org`, password: 'made-up-for-nginx' }
  const person = await signIn(exported, login)
  expect(await person.tasks()).toEqual([])
  expect(await person.say('how are you')).toBe('done')
  // The same account is there for the other frontend.
  const other = await signIn(served, login)
  expect(await other.tasks()).toEqual([])
})

test('the token is in a cookie that no script can read, and in nothing else', async () => {
  const login = { email: `${crypto.randomUUID()}@example.org`, password: 'made-up-for-nginx' }
  const answer = await post('/api/auth/sign-up', { 'x-forwarded-proto': 'https' }, login)
  expect(answer.status).toBe(201)
  const [session = '', email = ''] = answer.headers.getSetCookie()
  expect(session).toMatch(
    /^todo_session=\S+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=43200; Secure$/,
  )
  expect(email).toMatch(
    /^todo_email=\S+%40example\.org; Path=\/; SameSite=Lax; Max-Age=43200; Secure$/,
  )
  const token = /^todo_session=([^;]+)/.exec(session)?.[1] ?? ''
  expect(await answer.text()).not.toContain(token)
  const cookie = `todo_session=${token}`
  expect((await post('/api/tasks', { cookie }, { title: 'buy milk' })).status).toBe(201)
  for (const base of [exported, served]) {
    const tasks = await fetch(`${base}/api/tasks`, { headers: { cookie } })
    expect(await tasks.json()).toMatchObject([{ title: 'buy milk' }])
  }
  const out = await post('/api/auth/sign-out', {})
  for (const ended of out.headers.getSetCookie()) expect(ended).toMatch(/=; .*Max-Age=0/)
})

test('both frontends refuse alike: no session, another site, a session that is over, an unknown path', async () => {
  const ask = async (base: string, path: string, headers: Readonly<Record<string, string>>) => {
    const answer = await fetch(`${base}${path}`, { headers })
    const ended = answer.headers.getSetCookie().some((one) => one.startsWith('todo_session=;'))
    return [answer.status, await answer.json(), ended]
  }
  const requests = [
    ['/api/tasks', {}],
    ['/api/tasks', { cookie: 'todo_session=rubbish' }],
    ['/api/tasks', { cookie: 'todo_session=rubbish', origin: 'http://elsewhere.test' }],
    ['/api/health', {}],
    ['/api/ready', {}],
  ] as const
  for (const [path, headers] of requests)
    expect(await ask(exported, path, headers)).toEqual(await ask(served, path, headers))
})

test('pages say the same of themselves as with Next.js; only files with a hash in their name are kept', async () => {
  const [page, model] = [await fetch(exported), await fetch(served)]
  expect(page.status).toBe(200)
  for (const name of policies) expect(page.headers.get(name)).toBe(model.headers.get(name))
  expect(page.headers.get('cache-control')).toBe('no-cache')
  expect([page.headers.get('etag'), page.headers.get('last-modified')]).toEqual([null, null])
  const script = /\/_next\/static\/[^"]+\.js/.exec(await page.text())?.[0] ?? ''
  const file = await fetch(`${exported}${script}`)
  expect(file.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  expect(file.headers.get('content-encoding')).toBe('gzip')
})

test('its graceful end', async () => {
  const end = await shutDown('frontend-static', image)
  const lost = Object.values(end.lost).reduce((sum, count) => sum + count, 0)
  recordFact('images', 'frontend-static', { 'requests lost': `${lost} of ${end.answered + lost}` })
  expect(end.status).toBe('0')
  expect(end.answered).toBeGreaterThan(20)
  // An nginx before 1.27.4 closes idle connections at once, at most one request on each.
  expect(lost).toBeLessThanOrEqual(5)
})
