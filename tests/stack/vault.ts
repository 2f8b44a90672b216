import { createPublicKey, randomUUID, verify, type JsonWebKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/**
 * A stand-in for HashiCorp Vault, which it is not: the part of its HTTP API that External Secrets uses, in memory and without TLS.
 * KV version 2 with versions, and the login of the kubernetes auth method: the service account's token is checked against the
 * cluster's own keys. Runs in a pod: `node vault.ts`; VAULT_CONFIG names a file with the root token and the roles.
 */
type Config = { readonly rootToken: string; readonly roles: Readonly<Record<string, Role>> }
type Role = {
  readonly bound_service_account_names: readonly string[]
  readonly bound_service_account_namespaces: readonly string[]
  readonly audience: string
  /** Paths below the mount that a token of this role may read. */
  readonly read: readonly string[]
}
type Token = { readonly read: readonly string[] | 'all'; readonly expires: number }
type Version = { readonly data: unknown; readonly created: string }
type Reply = { readonly status: number; readonly body?: unknown }
type Call = {
  readonly method: string
  readonly url: URL
  readonly token: string
  readonly body: unknown
}

const PORT = 8200
const MOUNT = 'secret'
const TTL_S = 600
const OWN_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token'
const KEYS = 'https://kubernetes.default.svc/openid/v1/jwks'

const config = JSON.parse(readFileSync(process.env['VAULT_CONFIG'] ?? '', 'utf8')) as Config
const tokens = new Map<string, Token>([
  [config.rootToken, { read: 'all', expires: Number.POSITIVE_INFINITY }],
])
const secrets = new Map<string, Version[]>()

const denied = (why = 'permission denied', status = 403): Reply => ({
  status,
  body: { errors: [why] },
})
const answerWith = (data: unknown, more: object = {}): Reply => ({
  status: 200,
  body: {
    ...{ request_id: randomUUID(), lease_id: '', renewable: false, lease_duration: 0 },
    ...{ data, wrap_info: null, warnings: null, auth: null },
    ...more,
  },
})

async function answer(call: Call): Promise<Reply> {
  const { method, url } = call
  if (url.pathname === '/v1/sys/health') return { status: 200, body: { sealed: false } }
  if (url.pathname === '/v1/auth/kubernetes/login') return await logIn(call)
  const token = tokens.get(call.token)
  if (token === undefined || token.expires < Date.now()) return denied()
  if (url.pathname === '/v1/auth/token/lookup-self') return lookUp(token)
  if (url.pathname === '/v1/auth/token/revoke-self') {
    tokens.delete(call.token)
    return { status: 204 }
  }
  const [, path] = new RegExp(`^/v1/${MOUNT}/data/(.+)$`).exec(url.pathname) ?? []
  if (path === undefined) return { status: 404, body: { errors: [] } }
  if (method === 'GET') return read(path, token, url.searchParams.get('version'))
  return token.read === 'all' ? write(path, call.body) : denied()
}

function read(path: string, token: Token, version: string | null): Reply {
  if (token.read !== 'all' && !token.read.includes(path))
    return denied('1 error occurred:\n\t* permission denied\n\n')
  const versions = secrets.get(path) ?? []
  const number = version === null ? versions.length : Number(version)
  const found = versions[number - 1]
  if (found === undefined) return { status: 404, body: { errors: [] } }
  return answerWith({ data: found.data, metadata: metadataOf(found, number) })
}

function write(path: string, body: unknown): Reply {
  const { data } = body as { readonly data: unknown }
  const made = { data, created: new Date().toISOString() }
  const versions = [...(secrets.get(path) ?? []), made]
  secrets.set(path, versions)
  return answerWith(metadataOf(made, versions.length))
}

function metadataOf({ created }: Version, version: number): object {
  const rest = { custom_metadata: null, deletion_time: '', destroyed: false }
  return { created_time: created, version, ...rest }
}

function lookUp({ expires }: Token): Reply {
  const isRoot = !Number.isFinite(expires)
  const ttl = isRoot ? 0 : Math.round((expires - Date.now()) / 1000)
  const expire_time = isRoot ? null : new Date(expires).toISOString()
  return answerWith({ type: 'service', ttl, expire_time })
}

async function logIn({ body }: Call): Promise<Reply> {
  const { role: name, jwt } = body as { readonly role: string; readonly jwt: string }
  const role = config.roles[name]
  if (role === undefined) return denied(`invalid role name "${name}"`, 400)
  const claims = await claimsOf(jwt)
  const [, , namespace = '', account = ''] = (claims?.sub ?? '').split(':')
  if (claims === undefined || !claims.aud.includes(role.audience)) return denied()
  if (!role.bound_service_account_namespaces.includes(namespace))
    return denied('namespace not authorized')
  if (!role.bound_service_account_names.includes(account))
    return denied('service account name not authorized')
  const client_token = `s.${randomUUID()}`
  tokens.set(client_token, { read: role.read, expires: Date.now() + TTL_S * 1000 })
  const auth = { client_token, accessor: randomUUID(), policies: [name], token_type: 'service' }
  return answerWith(null, { auth: { ...auth, lease_duration: TTL_S, renewable: true } })
}

type Claims = { readonly sub: string; readonly aud: readonly string[]; readonly exp: number }

/** What a token of the cluster says, or undefined where the cluster did not sign it or its time is over. */
async function claimsOf(jwt: string): Promise<Claims | undefined> {
  const [head = '', payload = '', signature = ''] = jwt.split('.')
  const authorization = `Bearer ${readFileSync(OWN_TOKEN, 'utf8')}`
  const response = await fetch(KEYS, { headers: { authorization } })
  const { keys } = (await response.json()) as { readonly keys: readonly JsonWebKey[] }
  const { kid } = JSON.parse(decoded(head)) as { readonly kid: string }
  const key = keys.find((found) => found['kid'] === kid)
  if (key === undefined) return undefined
  const isSigned = verify(
    'RSA-SHA256',
    Buffer.from(`${head}.${payload}`),
    createPublicKey({ key, format: 'jwk' }),
    Buffer.from(signature, 'base64url'),
  )
  const claims = JSON.parse(decoded(payload)) as Claims
  return isSigned && claims.exp * 1000 > Date.now() ? claims : undefined
}

function decoded(part: string): string {
  return Buffer.from(part, 'base64url').toString('utf8')
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk as string
  const { method = 'GET', headers } = request
  const url = new URL(request.url ?? '/', 'http://vault')
  const token = String(headers['x-vault-token'] ?? '')
  const body: unknown = text === '' ? {} : JSON.parse(text)
  const reply = await answer({ method, url, token, body })
  process.stdout.write(`${method} ${url.pathname} ${reply.status}\n`)
  response.writeHead(reply.status, { 'content-type': 'application/json' })
  response.end(reply.body === undefined ? '' : JSON.stringify(reply.body))
}

createServer((request, response) => {
  serve(request, response).catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`)
    response.writeHead(500).end('{"errors":["internal error"]}')
  })
}).listen(PORT)
