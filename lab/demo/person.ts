import { UserError } from '../../src/errors.ts'
import { listAt, parseJson, textAt } from '../../src/json.ts'

/** A person who uses the application through its frontend, with a session cookie like a browser. */
export type Person = {
  tasks: () => Promise<readonly string[]>
  /** Says something to the chat; returns its answer. */
  say: (message: string) => Promise<string>
}

const TIMEOUT_MS = 30_000
const PATIENCE_MS = 20_000

/** Signs in at `url`, signing up where the person is new there. */
export async function signIn(
  url: string,
  login: { readonly email: string; readonly password: string },
): Promise<Person> {
  const known = await post(url, '/api/auth/sign-in', { body: login })
  const answer = known.ok ? known : await post(url, '/api/auth/sign-up', { body: login })
  if (!answer.ok) throw new UserError(`${url} let nobody sign up: ${await answer.text()}`)
  const cookie = answer.headers.getSetCookie().map((set) => set.split(';')[0] ?? '')
  const headers = { cookie: cookie.join('; ') }
  return {
    tasks: async () => {
      const found = await ask(() => fetch(new URL('/api/tasks', url), { headers, signal: soon() }))
      const list = Array.isArray(found) ? found : listAt(found, 'tasks')
      return list.map((task) => textAt(task, 'title') ?? '')
    },
    say: async (message) => {
      const found = await ask(() => post(url, '/api/chat', { body: { message }, headers }))
      return textAt(found, 'reply') ?? ''
    },
  }
}

async function post(
  url: string,
  path: string,
  how: { readonly body: unknown; readonly headers?: Readonly<Record<string, string>> },
): Promise<Response> {
  return await fetch(new URL(path, url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url, ...how.headers },
    body: JSON.stringify(how.body),
    signal: soon(),
  })
}

/** A rollout that just ended may still answer 503 once; a person would press the button again. */
async function ask(request: () => Promise<Response>): Promise<unknown> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const response = await request()
    const text = await response.text()
    if (response.ok) return parseJson(text, response.url)
    if (response.status < 500 || Date.now() > deadline)
      throw new UserError(`${response.url} answered ${response.status}`, [text.slice(0, 300)])
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
}

function soon(): AbortSignal {
  return AbortSignal.timeout(TIMEOUT_MS)
}
