import { Agent, type RequestOptions } from 'node:https'
import { KubeConfig } from '@kubernetes/client-node'
import { messageOf, UserError } from '../errors.ts'

/** How to reach one cluster: address and what every request needs. Tokens are asked anew each time. */
export type Access = {
  readonly context: string
  readonly server: URL
  readonly agent: Agent
  /** For watches: they stay open, and must not take the place of calls. */
  readonly watchAgent: Agent
  readonly headers: () => Promise<Record<string, string>>
  readonly config: KubeConfig
}

/** At most this many connections; the API server's own fairness does the rest. */
const CONNECTIONS = 24

/** Loads a kubeconfig file (or the default one) and picks a context; refuses what does not exist by naming what does. */
export async function loadAccess(options: {
  readonly kubeconfig: string
  readonly context: string
}): Promise<Access> {
  const config = new KubeConfig()
  const from = options.kubeconfig === '' ? 'the default kubeconfig' : options.kubeconfig
  try {
    if (options.kubeconfig === '') config.loadFromDefault()
    else config.loadFromFile(options.kubeconfig)
  } catch (error) {
    throw new UserError(
      `The kubeconfig ${from} can't be used; give the path of a valid one`,
      [messageOf(error)],
      { cause: error },
    )
  }
  if (config.getContexts().length === 0)
    throw new UserError(
      options.kubeconfig === ''
        ? 'There is no kubeconfig: give its path as kubeconfig, or set KUBECONFIG'
        : `The kubeconfig ${from} names no cluster; give the path of a valid one`,
    )
  const contexts = config.getContexts().map((context) => context.name)
  const context = options.context === '' ? config.getCurrentContext() : options.context
  if (!contexts.includes(context))
    throw new UserError(
      `The kubeconfig ${from} has no context "${context}"; it has ${contexts.join(', ') || 'none'}`,
    )
  config.setCurrentContext(context)
  const server = config.getCurrentCluster()?.server
  if (server === undefined)
    throw new UserError(`The context ${context} of ${from} names no cluster address`)
  const apply = async (): Promise<RequestOptions> => {
    const found: RequestOptions = {}
    await config.applyToHTTPSOptions(found)
    return found
  }
  const { ca, cert, key, rejectUnauthorized, servername } = await applyOrExplain(apply, context)
  const login = {
    keepAlive: true,
    ca,
    cert,
    key,
    servername,
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  }
  const agent = new Agent({ ...login, maxSockets: CONNECTIONS })
  const headers = async () => {
    const { headers: found, auth } = await applyOrExplain(apply, context)
    const basic = typeof auth === 'string' ? Buffer.from(auth).toString('base64') : undefined
    return {
      ...(found as Record<string, string> | undefined),
      ...(basic === undefined ? {} : { authorization: `Basic ${basic}` }),
    }
  }
  const watchAgent = new Agent(login)
  return { context, server: new URL(server), agent, watchAgent, headers, config }
}

async function applyOrExplain(
  apply: () => Promise<RequestOptions>,
  context: string,
): Promise<RequestOptions> {
  try {
    return await apply()
  } catch (error) {
    throw new UserError(
      `The login of the context ${context} does not work; refresh it and run again`,
      [messageOf(error)],
      { cause: error },
    )
  }
}
