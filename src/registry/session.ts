import { Agent as PlainAgent, type AgentOptions } from 'node:http'
import { Agent as SecureAgent } from 'node:https'
import { getCACertificates } from 'node:tls'
import { type Limits, LIMITS } from './pace.ts'
import { PATIENCE, type Patience } from './patience.ts'
import { openTransport, type Transport } from './transport.ts'
import { newWhereabouts, type Whereabouts } from './whereabouts.ts'

/** What may be said about the registries of a run. Nothing has to. */
export type SessionSettings = {
  /** How to speak to a registry, where it is neither HTTP on this machine nor HTTPS elsewhere. By host and port. */
  readonly schemes?: Readonly<Record<string, 'http' | 'https'>>
  /** Certificates (PEM) of authorities that are trusted besides the machine's own and NODE_EXTRA_CA_CERTS. */
  readonly ca?: string
  /** Folder of Docker's configuration; DOCKER_CONFIG, or `.docker` at home, where absent. */
  readonly dockerConfig?: string
  /** HTTPS_PROXY, HTTP_PROXY and NO_PROXY; those of the environment where absent. This machine is never asked by a proxy. */
  readonly proxies?: Readonly<Record<string, string | undefined>>
  readonly limits?: Partial<Limits>
  readonly patience?: Partial<Patience>
}

/** One registry as a run knows it: login, connections, and where blobs are, shared by all of its repositories. */
export type KnownRegistry = { readonly transport: Transport; readonly whereabouts: Whereabouts }

type Session = (registry: string) => KnownRegistry

const sessions = new WeakMap<AbortSignal, Session>()

/** Says how the registries of a run are spoken to. `signal` ends every call, and stands for the run. */
export function openSession(settings: SessionSettings, signal: AbortSignal): void {
  sessions.set(signal, newSession(settings, signal))
}

/** A registry in the session of the run that `signal` stands for; the first call opens one with no settings. */
export function registryOf(name: string, signal: AbortSignal): KnownRegistry {
  const session = sessions.get(signal) ?? newSession({}, signal)
  sessions.set(signal, session)
  return session(name)
}

function newSession(settings: SessionSettings, signal: AbortSignal): Session {
  const known = new Map<string, KnownRegistry>()
  const agentFor = newAgents(settings)
  return (name) => {
    const registry = name === 'index.docker.io' ? 'docker.io' : name
    const found = known.get(registry)
    if (found !== undefined) return found
    const transport = openTransport(
      registry,
      {
        scheme: settings.schemes?.[registry] ?? (isLocal(hostOf(registry)) ? 'http' : 'https'),
        dockerConfig: settings.dockerConfig,
        agentFor,
        limits: { ...LIMITS, ...settings.limits },
        patience: { ...PATIENCE, ...settings.patience },
      },
      signal,
    )
    const opened = { transport, whereabouts: newWhereabouts() }
    known.set(registry, opened)
    return opened
  }
}

/** Connections of a run: direct ones on this machine, elsewhere as the environment says. */
function newAgents({ ca, proxies = process.env }: SessionSettings): (url: URL) => PlainAgent {
  const direct: AgentOptions = { keepAlive: true }
  const proxied: AgentOptions = { keepAlive: true, proxyEnv: proxies }
  const trusted = ca === undefined ? {} : { ca: [...getCACertificates(), ca] }
  const agents = {
    here: { http: new PlainAgent(direct), https: new SecureAgent({ ...direct, ...trusted }) },
    there: { http: new PlainAgent(proxied), https: new SecureAgent({ ...proxied, ...trusted }) },
  }
  return ({ hostname, protocol }) => {
    const { http, https } = isLocal(hostname) ? agents.here : agents.there
    return protocol === 'https:' ? https : http
  }
}

function hostOf(registry: string): string {
  return registry.replace(/:\d+$/, '')
}

/** Plain HTTP is for a registry on this machine only, as Docker has it. */
function isLocal(host: string): boolean {
  return host === 'localhost' || host === '127.0.0.1' || host === '[::1]'
}
