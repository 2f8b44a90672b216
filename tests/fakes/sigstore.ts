import { createHash, generateKeyPairSync } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  fulcioHandler,
  initializeCA,
  initializeCTLog,
  initializeTLog,
  rekorHandler,
} from '@sigstore/mock'
import { TrustedRoot } from '@sigstore/protobuf-specs'
import { parseJson, textAt } from '../../src/json.ts'

/** Emulators of Fulcio and Rekor on 127.0.0.1, with keys of their own, and the root that trusts them. */
export type SigstoreEmulator = {
  readonly url: string
  readonly root: TrustedRoot
  readonly close: () => void
}

export async function startSigstoreEmulator(): Promise<SigstoreEmulator> {
  const newPair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const [server, url] = await listen()
  const ctLog = await initializeCTLog(newPair())
  const authority = await initializeCA(newPair(), ctLog)
  const log = await initializeTLog(url, newPair())
  const handlers = [
    fulcioHandler(authority, { strict: true, subjectClaim: 'sub' }),
    rekorHandler(log, { strict: true }),
  ]
  server.on('request', (request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
    request.on('end', () => {
      const handler = handlers.find(({ path }) => request.url === path)
      if (handler === undefined) {
        response.writeHead(404).end()
        return
      }
      void handler.fn(asLogged(body)).then(({ statusCode, response: answer, contentType }) => {
        const type = contentType ?? 'text/plain'
        response.writeHead(statusCode, { 'content-type': type }).end(answer)
      })
    })
  })
  const validFor = { start: new Date(0).toISOString() }
  const logOf = (key: Uint8Array, id: Uint8Array) => ({
    baseUrl: url,
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: Buffer.from(key).toString('base64'),
      keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      validFor,
    },
    logId: { keyId: Buffer.from(id).toString('base64') },
  })
  const certificate = Buffer.from(authority.rootCertificate as Uint8Array)
  const root = TrustedRoot.fromJSON({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [logOf(log.publicKey, sha256Of(log.publicKey))],
    ctlogs: [logOf(ctLog.publicKey, ctLog.logID as Uint8Array)],
    certificateAuthorities: [
      {
        subject: { organization: 'emulator', commonName: 'emulator' },
        uri: url,
        certChain: { certificates: [{ rawBytes: certificate.toString('base64') }] },
        validFor,
      },
    ],
    timestampAuthorities: [],
  })
  return { url, root, close: () => server.close() }
}

/**
 * Rekor keeps of an envelope its hashes and signatures only; the handler keeps what it is given, so the change is made here
 * (rekor, entry type dsse 0.0.1).
 */
function asLogged(body: string): string {
  const entry = parseJson(body, 'the entry')
  const envelopeText = textAt(entry, 'spec', 'proposedContent', 'envelope')
  if (envelopeText === undefined) return body
  const envelope = parseJson(envelopeText, 'the envelope')
  const hash = (bytes: Buffer) => ({
    algorithm: 'sha256',
    value: createHash('sha256').update(bytes).digest('hex'),
  })
  const spec = {
    envelopeHash: hash(Buffer.from(envelopeText)),
    payloadHash: hash(Buffer.from(textAt(envelope, 'payload') ?? '', 'base64')),
    signatures: [
      {
        signature: textAt(envelope, 'signatures', 0, 'sig'),
        verifier: textAt(entry, 'spec', 'proposedContent', 'verifiers', 0),
      },
    ],
  }
  return JSON.stringify({ kind: 'dsse', apiVersion: '0.0.1', spec })
}

/** A token as GitHub gives a job; only the emulator, which does not check its signature, takes it. */
export function tokenOf(identity: string, issuer: string): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { sub: identity, iss: issuer, aud: 'sigstore', exp: 4_000_000_000 }
  return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.c2lnbmF0dXJl`
}

function sha256Of(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest()
}

async function listen(): Promise<[Server, string]> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return [server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`]
}
