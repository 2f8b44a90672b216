import { delimiter, dirname } from 'node:path'
import { runProgram } from '../../src/tools/program.ts'
import { lab } from '../e2e/lab.ts'
import { testPrograms } from '../programs.ts'

/** How a program ended. */
export type Ended = { readonly status: number; readonly stdout: string; readonly stderr: string }

export type How = {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  readonly seconds?: number
}

const SECONDS = 120

/** Runs a program in the repository's folder, with the lab's engine, cluster and kubectl at hand, and waits for its end. */
export async function run(argv: readonly [string, ...string[]], how: How = {}): Promise<Ended> {
  const { env = {}, input, seconds = SECONDS } = how
  return await runProgram(
    {
      argv,
      cwd: process.cwd(),
      env: { ...(await environment()), ...env },
      timeoutSeconds: seconds,
      ...(input === undefined ? {} : { input }),
    },
    AbortSignal.timeout((seconds + 10) * 1000),
  )
}

/** As `run`; throws with what the program said where it fails. */
export async function runWell(
  argv: readonly [string, ...string[]],
  how: How = {},
): Promise<string> {
  const { status, stdout, stderr } = await run(argv, how)
  if (status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}: ${stderr}${stdout}`)
  return stdout
}

/** Runs kubectl in a namespace of the lab. */
export async function kubectl(
  namespace: string,
  args: readonly string[],
  how: How = {},
): Promise<string> {
  return await runWell(['kubectl', '--namespace', namespace, ...args], how)
}

/** The environment of this process, in which a program finds the lab and its kubectl. */
export async function environment(): Promise<Readonly<Record<string, string>>> {
  const folder = dirname(await testPrograms.tool('kubectl'))
  const own = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  )
  return {
    ...Object.fromEntries(own),
    ...lab.environment,
    DOCKER_HOST: lab.dockerHost,
    KUBECONFIG: lab.kubeconfig,
    PATH: [folder, process.env['PATH'] ?? ''].join(delimiter),
  }
}
