import { Writable } from 'node:stream'
import { Exec } from '@kubernetes/client-node'
import { UserError } from '../errors.ts'
import { listAt, textAt } from '../json.ts'
import type { Access } from './kubeconfig.ts'

export type PodCommand = {
  readonly namespace: string
  readonly pod: string
  readonly container: string
  readonly argv: readonly string[]
  readonly timeoutSeconds: number
}

export type PodCommandResult = {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
  /** The server's own words where the command could not be started. */
  readonly message: string
}

/** Runs a command in a container and waits for its end. A status other than 0 is a result. */
export async function execInPod(
  access: Access,
  command: PodCommand,
  signal: AbortSignal,
): Promise<PodCommandResult> {
  const { namespace, pod, container, argv, timeoutSeconds } = command
  const [stdout, stderr] = [collector(), collector()]
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutSeconds * 1000)])
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const late = () => {
    reject(new UserError(`${argv[0] ?? ''} in ${namespace}/${pod} took over ${timeoutSeconds} s`))
  }
  deadline.addEventListener('abort', late, { once: true })
  let socket: { close: () => void } | undefined
  try {
    const exec = new Exec(access.config)
    socket = (await exec.exec(
      namespace,
      pod,
      container,
      [...argv],
      stdout.stream,
      stderr.stream,
      null,
      false,
      resolve,
    )) as { close: () => void }
    const status = await promise
    return {
      status: exitStatus(status),
      stdout: stdout.text(),
      stderr: stderr.text(),
      message: textAt(status, 'message') ?? '',
    }
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError(
      `A command can't be run in ${namespace}/${pod}`,
      [textAt(error, 'message') ?? String(error)],
      {
        cause: error,
      },
    )
  } finally {
    deadline.removeEventListener('abort', late)
    socket?.close()
  }
}

/** The exec protocol's final Status object: Success, or the exit code among the causes. */
function exitStatus(status: unknown): number {
  if (textAt(status, 'status') === 'Success') return 0
  const cause = listAt(status, 'details', 'causes').find(
    (found) => textAt(found, 'reason') === 'ExitCode',
  )
  return Number(textAt(cause, 'message') ?? 127)
}

function collector(): { readonly stream: Writable; readonly text: () => string } {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  return { stream, text: () => Buffer.concat(chunks).toString('utf8') }
}
