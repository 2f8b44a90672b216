import { spawn, type ChildProcess } from 'node:child_process'
import { lab } from '../e2e/lab.ts'
import { testPrograms } from '../programs.ts'

/** A Service of the cluster, reachable on this machine until it is closed. */
export type Forward = { readonly port: number; readonly close: () => void }

const OPEN_MS = 20_000

/** Forwards a free local port to a Service, as a person does with kubectl. Throws with kubectl's own words where that can't be. */
export async function forward(namespace: string, service: string, port: number): Promise<Forward> {
  const kubectl = await testPrograms.tool('kubectl')
  const child = spawn(
    kubectl,
    [
      ...['--kubeconfig', lab.kubeconfig, '--context', lab.context],
      ...['--namespace', namespace, 'port-forward', `service/${service}`, `:${port}`],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  return { port: await localPort(child, `${namespace}/${service}`), close: () => child.kill() }
}

async function localPort(child: ChildProcess, what: string): Promise<number> {
  let said = ''
  return await new Promise((resolve, reject) => {
    const fail = (why: string) => {
      child.kill()
      reject(new Error(`${what} can't be forwarded: ${why} ${said.trim()}`))
    }
    const limit = setTimeout(() => {
      fail(`not open after ${OPEN_MS / 1000} s.`)
    }, OPEN_MS)
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
    child.stdout?.on('data', (chunk: Buffer) => {
      const port = /Forwarding from 127\.0\.0\.1:(\d+)/.exec(chunk.toString())?.[1]
      if (port === undefined) return
      clearTimeout(limit)
      resolve(Number(port))
    })
    child.on('close', () => {
      clearTimeout(limit)
      fail('kubectl ended.')
    })
  })
}
