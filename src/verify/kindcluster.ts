import { UserError } from '../errors.ts'
import pins from '../tools/pins.json' with { type: 'json' }
import type { World } from '../world.ts'

/** The kind cluster that `target: kind` uses; one is made where there is none, and it stays for the next run. */
const NAME = 'todo-deploy'
const CREATE_TIMEOUT_S = 600
const ASK_TIMEOUT_S = 30

/** Finds or makes the kind cluster. Returns the context that leads to it. */
export async function ensureKindCluster(kubeconfig: string, world: World): Promise<string> {
  const kind = await world.tools('kind')
  const listed = await world.run(
    { argv: [kind, 'get', 'clusters'], timeoutSeconds: ASK_TIMEOUT_S },
    world.signal,
  )
  if (listed.status !== 0)
    throw new UserError('kind needs a container engine: start Docker and run again', [
      ...listed.stderr.trim().split('\n').slice(-5),
    ])
  if (listed.stdout.split('\n').includes(NAME)) return `kind-${NAME}`
  const { tag, digest } = pins.images['kindest/node']
  const created = await world.progress.step(`Make the kind cluster ${NAME}`, () =>
    world.run(
      {
        argv: [
          ...([kind, 'create', 'cluster', '--name', NAME] as const),
          ...['--image', `docker.io/kindest/node:${tag}@${digest}`, '--wait', '120s'],
          ...(kubeconfig === '' ? [] : ['--kubeconfig', kubeconfig]),
        ],
        timeoutSeconds: CREATE_TIMEOUT_S,
        onLine: world.progress.say,
      },
      world.signal,
    ),
  )
  if (created.status !== 0)
    throw new UserError(
      `The kind cluster could not be made: ${created.stderr.trim().split('\n').at(-1) ?? ''}`,
      created.stderr.trim().split('\n').slice(-20),
    )
  return `kind-${NAME}`
}
