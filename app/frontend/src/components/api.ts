export interface Task {
  readonly id: number
  readonly title: string
  readonly description: string
  readonly completed: boolean
}

export interface Message {
  readonly role: 'user' | 'assistant'
  readonly content: string
}

export interface ChatAnswer {
  readonly conversation_id: string
  readonly reply: string
}

/** Returns the answer of our own server; throws with words for the person when it refuses. */
export async function callApi<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`/api${path}`, {
    method,
    ...(body !== undefined && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  })
  const content: unknown = await response.json().catch(() => undefined)
  if (response.ok) return content as T
  // The session is over; the page without it is the sign-in. (There, a 401 is a wrong password.)
  if (response.status === 401 && !path.startsWith('/auth/')) window.location.reload()
  throw new Error(describeRefusal(content))
}

/** Returns what the server says is wrong: a sentence, or the first field that does not fit. */
export function describeRefusal(content: unknown): string {
  const detail = readField(content, 'detail')
  if (typeof detail === 'string') return detail
  const first: unknown = Array.isArray(detail) ? detail[0] : undefined
  const message = readField(first, 'msg')
  const place = readField(first, 'loc')
  if (typeof message !== 'string') return 'Something went wrong; try again.'
  const field: unknown = Array.isArray(place) ? place.at(-1) : undefined
  return `${typeof field === 'string' ? `${field}: ` : ''}${message.replace(/^Value error, /, '')}`
}

function readField(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
