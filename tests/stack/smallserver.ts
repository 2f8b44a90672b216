import { waitFor } from './backupbench.ts'
import { databaseImage, sqlAt } from './datastage.ts'
import { runWell } from './run.ts'

/** A database server in a container, whose disk can be made full. */
export type SmallServer = {
  readonly url: string
  readonly fillDisk: () => Promise<void>
  readonly makeRoom: () => Promise<void>
  readonly close: () => Promise<void>
}

const NAME = `todo-stack-small-${process.pid}`
const DATA = '/var/lib/postgresql/data'
/** What is left of the disk: enough for the server to go on, too little for a restore. */
const LEFT_KB = 512
const FILL = `free=$(df -k --output=avail ${DATA} | tail -n 1); head -c $(((free - ${LEFT_KB}) * 1024)) /dev/zero >${DATA}/filler`

export async function startSmallServer(): Promise<SmallServer> {
  const image = await databaseImage()
  await docker('pull', '--quiet', image)
  await docker(
    ...['run', '--detach', '--name', NAME, '--env', 'POSTGRES_PASSWORD=small'],
    ...['--publish', '127.0.0.1::5432', '--tmpfs', `${DATA}:uid=10001,size=160m`],
    ...['--tmpfs', '/var/run/postgresql:uid=10001', image],
  )
  const [, port = ''] = (await docker('port', NAME, '5432')).trim().split(':')
  const url = `postgresql://todo:small@127.0.0.1:${port}/todo`
  await waitFor(async () => (await sqlAt(url, 'SELECT 1').catch(() => '')) === '1')
  return {
    url,
    fillDisk: async () => {
      await docker('exec', NAME, 'bash', '-c', FILL)
    },
    makeRoom: async () => {
      await docker('exec', NAME, 'rm', `${DATA}/filler`)
    },
    close: async () => {
      await docker('rm', '--force', NAME)
    },
  }
}

async function docker(...args: readonly string[]): Promise<string> {
  return await runWell(['docker', ...args])
}
