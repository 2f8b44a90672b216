import { spawn } from 'node:child_process'

/** A program that listens on 127.0.0.1. */
export type Running = {
  /** `127.0.0.1:port`. */
  readonly registry: string
  readonly stop: () => Promise<void>
}

const START_MS = 30_000
/** Ends a registry whose test was killed. */
const LIFE_SECONDS = '300'

/** Starts a program and returns when it says where it listens. */
export async function startProgram(argv: readonly [string, ...string[]]): Promise<Running> {
  const [program, ...rest] = argv
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: '/nonexistent',
    OTEL_TRACES_EXPORTER: 'none',
  }
  const child = spawn('timeout', ['--kill-after=5', LIFE_SECONDS, program, ...rest], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const kill = () => child.kill() // It passes the signal on, and collects what has ended.
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve()
    })
  })
  let said = ''
  const registry = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => {
      kill()
      reject(new Error(`${program} does not listen after ${START_MS} ms: ${said}`))
    }, START_MS)
    const listen = (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-10_000)
      const [, address] = /listening on (127\.0\.0\.1:\d+)/.exec(said) ?? []
      if (address === undefined) return
      clearTimeout(timer)
      resolve(address)
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    child.once('error', reject)
    child.once('exit', () => {
      clearTimeout(timer)
      reject(new Error(`${program} ended: ${said}`))
    })
  })
  return {
    registry,
    stop: async () => {
      kill()
      await ended
    },
  }
}
