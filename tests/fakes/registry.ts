import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An answer that is given instead of the registry's own. */
export type Reply = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

export type Asked = {
  readonly method: string
  readonly path: string
  readonly url: URL
  readonly authorization: string | undefined
}

/** A distribution registry in memory on 127.0.0.1. */
export type FakeRegistry = {
  /** `127.0.0.1:port`. */
  readonly registry: string
  /** By `repository/reference`, where the reference is a tag or a digest. */
  readonly manifests: Map<string, { readonly mediaType: string; readonly bytes: Buffer }>
  readonly blobs: Map<string, Buffer>
  /** Every request, in order. */
  readonly asked: Asked[]
  close: () => Promise<void>
}

type Store = Pick<FakeRegistry, 'manifests' | 'blobs'>

const UPLOAD = /^\/v2\/(.+)\/blobs\/uploads\/(.*)$/
const BLOB = /^\/v2\/(.+)\/blobs\/(sha256:[a-f0-9]{64})$/
const MANIFEST = /^\/v2\/(.+)\/manifests\/([^/]+)$/

/** Opens a registry. `intercept` is asked first and makes it as hostile or as slow to come round as a test wants. */
export async function openFakeRegistry(
  intercept: (asked: Asked) => Reply | undefined = () => undefined,
): Promise<FakeRegistry> {
  const store: Store = { manifests: new Map(), blobs: new Map() }
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const url = new URL(request.url ?? '/', `http://${request.headers.host ?? 'localhost'}`)
      const { method = 'GET', headers } = request
      const call = { method, path: url.pathname, url, authorization: headers.authorization }
      asked.push(call)
      const type = headers['content-type'] ?? ''
      send(response, intercept(call) ?? answer(store, call, { body, type }), method)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    ...store,
    asked,
    registry: `127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}

function answer(
  store: Store,
  { method, path, url }: Asked,
  sent: { readonly body: Buffer; readonly type: string },
): Reply {
  const [, repository = '', reference = ''] = MANIFEST.exec(path) ?? []
  if (reference !== '') return answerManifest(store, { method, repository, reference }, sent)
  const digest = BLOB.exec(path)?.[2]
  const blob = store.blobs.get(digest ?? '')
  if (digest !== undefined)
    return blob === undefined ? { status: 404 } : { status: 200, body: blob }
  const upload = UPLOAD.exec(path)
  if (upload !== null && method === 'POST')
    return { status: 202, headers: { location: `${path}${randomUUID()}?state=kept` } }
  const wanted = url.searchParams.get('digest') ?? ''
  if (upload === null || digestOf(sent.body) !== wanted || url.searchParams.get('state') !== 'kept')
    return { status: 400, body: 'DIGEST_INVALID' }
  store.blobs.set(wanted, sent.body)
  return { status: 201 }
}

function answerManifest(
  { manifests, blobs }: Store,
  asked: { readonly method: string; readonly repository: string; readonly reference: string },
  sent: { readonly body: Buffer; readonly type: string },
): Reply {
  const { method, repository, reference } = asked
  const found = manifests.get(`${repository}/${reference}`)
  if (method !== 'PUT')
    return found === undefined
      ? { status: 404 }
      : { status: 200, body: found.bytes, headers: { 'content-type': found.mediaType } }
  const parsed = JSON.parse(sent.body.toString()) as {
    readonly config?: { readonly digest: string }
    readonly layers?: readonly { readonly digest: string }[]
  }
  const needed = [parsed.config, ...(parsed.layers ?? [])].flatMap((entry) => entry?.digest ?? [])
  if (needed.some((digest) => !blobs.has(digest)))
    return { status: 400, body: 'MANIFEST_BLOB_UNKNOWN' }
  const manifest = { mediaType: sent.type, bytes: sent.body }
  for (const name of [reference, digestOf(sent.body)])
    manifests.set(`${repository}/${name}`, manifest)
  return { status: 201 }
}

function send(response: ServerResponse, reply: Reply, method: string): void {
  response.writeHead(reply.status, reply.headers)
  response.end(method === 'HEAD' ? undefined : reply.body)
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

export function digestOf(bytes: Buffer | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
