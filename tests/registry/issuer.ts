import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { makeCertificate } from './certificate.ts'

/** A token issuer as distribution's documentation describes it, with one user. */
export type Issuer = {
  /** The `auth.token` part of the registry's configuration. */
  readonly settings: Readonly<Record<string, unknown>>
  /** What was asked for, in order. */
  readonly asked: { readonly method: string; readonly scopes: readonly string[] }[]
  /** Seconds until the registry refuses the tokens that are issued from now on. The client is told that they last. */
  life: number
  readonly stop: () => Promise<void>
}

const LOGIN = `Basic ${Buffer.from('ann:pass:word').toString('base64')}`
/** An identity token that is accepted, too. */
export const IDENTITY = 'identity-of-ann'
/** distribution takes a token for a minute after its end. */
const LEEWAY_SECONDS = 60

export async function startIssuer(folder: string): Promise<Issuer> {
  const { certificate, key } = await makeCertificate(folder)
  const asked: { method: string; scopes: string[] }[] = []
  const state = { life: 300 }
  const server = createServer((request, response) => {
    void answer(request).then((given) => {
      asked.push({ method: request.method ?? '', scopes: given.scopes })
      response.writeHead(given.allowed ? 200 : 401, { 'content-type': 'application/json' })
      const token = given.allowed ? make(given.scopes) : undefined
      response.end(JSON.stringify({ token, access_token: token, expires_in: 300 }))
    })
  })
  const [pem, chain] = [await readFile(key, 'utf8'), await readFile(certificate, 'utf8')]
  const make = (scopes: readonly string[]): string => {
    const now = Math.floor(Date.now() / 1000)
    const access = scopes.map((scope) => {
      const [type, name, actions = ''] = scope.split(':')
      return { type, name, actions: actions.split(',') }
    })
    const claims = {
      ...{ iss: 'issuer', sub: 'ann', aud: 'registry', jti: randomUUID(), access },
      ...{ iat: now - 120, nbf: now - 120, exp: now - LEEWAY_SECONDS + state.life },
    }
    const x5c = [new X509Certificate(chain).raw.toString('base64')]
    const text = [{ typ: 'JWT', alg: 'ES256', x5c }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
    const how = { key: createPrivateKey(pem), dsaEncoding: 'ieee-p1363' } as const
    return `${text}.${sign('sha256', Buffer.from(text), how).toString('base64url')}`
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const realm = `http://127.0.0.1:${port}/token`
  return {
    asked,
    settings: { realm, service: 'registry', issuer: 'issuer', rootcertbundle: certificate },
    get life() {
      return state.life
    },
    set life(seconds: number) {
      state.life = seconds
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}

async function answer(request: IncomingMessage): Promise<{ allowed: boolean; scopes: string[] }> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const form = new URLSearchParams(Buffer.concat(chunks).toString())
  const query = new URL(request.url ?? '/', 'http://127.0.0.1').searchParams
  const scopes = [...query.getAll('scope'), ...form.getAll('scope')].flatMap((s) => s.split(' '))
  const identity = request.method === 'POST' && form.get('refresh_token') === IDENTITY
  return { allowed: identity || request.headers.authorization === LOGIN, scopes }
}
