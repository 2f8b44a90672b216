import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'

/** Where the lab's ingress controller listens on this machine. */
export const PLAIN_PORT = 30089
export const TLS_PORT = 30088

export type Visit = {
  readonly host: string
  readonly path: string
  readonly body?: object
  readonly cookie?: string
  /** The certificate that is believed, and nothing else is; without it, plain HTTP. */
  readonly certificate?: string
}
export type Page = {
  readonly status: number
  readonly text: string
  /** The first cookie that was set, with its attributes. */
  readonly cookie: string
}

const PATIENCE_MS = 20_000

/**
 * Visits a host by way of the controller, as a browser does for which the name leads to this machine. Each visit has a connection of
 * its own.
 */
export async function visit({ host, path, body, cookie, certificate }: Visit): Promise<Page> {
  const port = certificate === undefined ? PLAIN_PORT : TLS_PORT
  const origin = `${certificate === undefined ? 'http' : 'https'}://${host}:${port}`
  const options = {
    ...{ host: '127.0.0.1', port, path, agent: false, timeout: PATIENCE_MS },
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      host: `${host}:${port}`,
      ...(cookie === undefined ? {} : { cookie }),
      ...(body === undefined ? {} : { 'content-type': 'application/json', origin }),
    },
  }
  return await new Promise((resolve, reject) => {
    const sent =
      certificate === undefined
        ? plainRequest(options)
        : tlsRequest({ ...options, servername: host, ca: certificate })
    sent.on('timeout', () => sent.destroy(new Error(`${origin}${path}: no answer in time`)))
    sent.on('error', reject)
    sent.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('error', reject)
      response.on('end', () => {
        const [set = ''] = response.headers['set-cookie'] ?? []
        resolve({ status: response.statusCode ?? 0, text, cookie: set })
      })
    })
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
