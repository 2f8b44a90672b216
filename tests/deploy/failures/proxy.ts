import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent, createServer, request } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import { toYaml } from '../../../src/yaml.ts'
import { type Cluster, openCluster } from '../../../src/cluster/cluster.ts'
import { lab } from '../../e2e/lab.ts'
import { makeCertificate } from '../../registry/certificate.ts'

/** What a test does to a request: nothing, an answer of its own, or silence. */
export type Trick =
  | 'pass'
  | { readonly status: number; readonly body?: unknown; readonly retryAfter?: number }
  | 'cut'

/** A way to the lab's API server that a test can cut, delay, or answer on. */
export type Proxy = {
  readonly kubeconfig: string
  readonly cluster: (signal?: AbortSignal) => Promise<Cluster>
  /** Asked for every request. */
  trick: (method: string, path: string) => Trick
  /** Added to every answer, in milliseconds. */
  delayMs: number
  /** Every request that was passed on or not: `PATCH /apis/…`. */
  readonly asked: string[]
  /** Ends every open connection, watches too; with `refuse` no new one is taken either. */
  readonly cut: (refuse?: boolean) => Promise<void>
  readonly mend: () => Promise<void>
  /** Every watch that is open stays open, and nothing comes any more. */
  readonly silence: () => void
  readonly close: () => Promise<void>
}

export async function openProxy(): Promise<Proxy> {
  const folder = await mkdtemp(join(tmpdir(), 'proxy-'))
  const { certificate, key } = await makeCertificate(folder)
  const { upstream, agent } = await wayToServer()
  const sockets = new Set<Socket>()
  const watches = new Set<Watch>()
  const tls = { cert: await readFile(certificate), key: await readFile(key) }
  let port = 0
  const server = createServer(tls, (incoming, outgoing) => {
    const path = incoming.url ?? '/'
    const method = incoming.method ?? 'GET'
    proxy.asked.push(`${method} ${path}`)
    const trick = proxy.trick(method, path)
    if (trick === 'cut') incoming.socket.destroy()
    else if (trick !== 'pass') answer(outgoing, trick)
    else
      setTimeout(() => {
        passOn(incoming, outgoing, { upstream, agent, watches })
      }, proxy.delayMs)
  })
  server.on('secureConnection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
  })
  const listen = () =>
    new Promise<void>((resolve) => {
      server.listen(port, '127.0.0.1', () => {
        port = (server.address() as AddressInfo).port
        resolve()
      })
    })
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => {
        resolve()
      })
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
    })
  await listen()
  const kubeconfig = join(folder, 'kubeconfig')
  await writeFile(kubeconfig, kubeconfigFor(port))
  const proxy: Proxy = {
    kubeconfig,
    cluster: (signal = AbortSignal.timeout(900_000)) =>
      openCluster({ kubeconfig, context: '' }, signal),
    trick: () => 'pass',
    delayMs: 0,
    asked: [],
    cut: async (refuse = false) => {
      if (refuse) await stop()
      else for (const socket of sockets) socket.destroy()
    },
    mend: listen,
    silence: () => {
      for (const watch of watches) watch.isSilent = true
    },
    close: async () => {
      await stop()
      agent.destroy()
      await rm(folder, { recursive: true, force: true })
    },
  }
  return proxy
}

type Way = { readonly upstream: URL; readonly agent: Agent }
type Watch = { isSilent: boolean }

async function wayToServer(): Promise<Way> {
  const config = new KubeConfig()
  config.loadFromFile(lab.kubeconfig)
  config.setCurrentContext(lab.context)
  const options: { ca?: unknown; cert?: unknown; key?: unknown } = {}
  await config.applyToHTTPSOptions(options as Parameters<typeof config.applyToHTTPSOptions>[0])
  const { ca, cert, key } = options as { ca: Buffer; cert: Buffer; key: Buffer }
  const upstream = new URL(config.getCurrentCluster()?.server ?? '')
  return { upstream, agent: new Agent({ keepAlive: true, ca, cert, key }) }
}

function kubeconfigFor(port: number): string {
  return toYaml({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'proxy',
    contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'proxy' } }],
    clusters: [
      {
        name: 'proxy',
        cluster: { server: `https://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true },
      },
    ],
    // Some clients ask for a name where none is given; who it really is, the proxy's own certificate says.
    users: [{ name: 'proxy', user: { token: 'of-no-value' } }],
  })
}

function answer(outgoing: ServerResponse, trick: Exclude<Trick, string>): void {
  const retry = trick.retryAfter === undefined ? {} : { 'retry-after': String(trick.retryAfter) }
  outgoing.writeHead(trick.status, { 'content-type': 'application/json', ...retry })
  outgoing.end(JSON.stringify(trick.body ?? { kind: 'Status', message: 'of the test' }))
}

function passOn(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { upstream, agent, watches }: Way & { readonly watches: Set<Watch> },
): void {
  const { host: _host, ...headers } = incoming.headers
  const watch = { isSilent: false }
  if (incoming.url?.includes('watch=1') === true) watches.add(watch)
  const sent = request(
    new URL(incoming.url ?? '/', upstream),
    { method: incoming.method, headers, agent },
    (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers)
      response.on('error', () => outgoing.destroy())
      response.on('data', (chunk: Buffer) => {
        if (!watch.isSilent) outgoing.write(chunk)
      })
      response.on('end', () => {
        if (!watch.isSilent) outgoing.end()
      })
    },
  )
  sent.on('error', () => outgoing.destroy())
  outgoing.on('close', () => {
    watches.delete(watch)
    sent.destroy()
  })
  incoming.pipe(sent)
}
