import { readFileSync, readdirSync } from 'node:fs'
import { attempt, run } from './command.ts'
import { LabError } from './failure.ts'
import { readProcess } from './processes.ts'
import type { Process } from './processes.ts'

/** The bridge of plain containers. It has the same name and addresses for every lab of a machine, so one lab runs at a time. */
export const BRIDGE = 'todo-deploy0'
// The first of these that no route of the machine uses becomes the network of plain containers.
const BRIDGE_NETWORKS = ['172.30.0', '172.29.0', '172.28.0', '10.203.0', '192.168.203']

interface OtherLab {
  readonly pid: number
  readonly configuration: string
}

/** Makes the bridge anew for an engine that is about to start. */
export async function makeBridge(): Promise<void> {
  await removeLeftBridge()
  const routes = await run(['ip', '-4', 'route'])
  const network = BRIDGE_NETWORKS.find(
    (one) => !routes.includes(`${one.split('.').slice(0, 2).join('.')}.`),
  )
  if (network === undefined)
    throw new LabError(
      `No private network is free for containers: all of ${BRIDGE_NETWORKS.join(', ')} are in use.`,
    )
  await run(['ip', 'link', 'add', 'name', BRIDGE, 'type', 'bridge'])
  await run(['ip', 'addr', 'add', `${network}.1/24`, 'dev', BRIDGE])
  await run(['ip', 'link', 'set', BRIDGE, 'up'])
}

// Where an engine was stopped hard, the networks of its containers outlive them: they would go on answering for
// addresses that the next engine gives away. Who made them need not be this lab; another cache folder's will do.
async function removeLeftBridge(): Promise<void> {
  const { code, stdout } = await attempt(['ip', '-oneline', 'link', 'show', 'master', BRIDGE])
  if (code !== 0) return
  for (const name of namesOfLinks(stdout)) await attempt(['ip', 'link', 'delete', name])
  await run(['ip', 'link', 'delete', BRIDGE, 'type', 'bridge'])
}

/** The names of interfaces in the output of `ip -oneline link show`, without the index of a peer behind them. */
export function namesOfLinks(shown: string): string[] {
  return shown
    .split('\n')
    .map((line) => /^\d+: ([^:@\s]+)/.exec(line)?.[1])
    .filter((name) => name !== undefined)
}

/** Refuses to start beside the engine of a lab in another cache folder: both would use one bridge, port and name. */
export function refuseAnotherLab(ownConfiguration: string): void {
  const other = anotherLab(ownConfiguration)
  if (other === undefined) return
  throw new LabError(
    `Another lab runs on this machine: its engine is process ${other.pid}, set up by ${other.configuration}. ` +
      'Run "npm run lab:down" with the TODO_DEPLOY_CACHE it was started with, then start this one again.',
  )
}

/** The engine of another lab that runs on this machine. */
export function anotherLab(ownConfiguration: string): OtherLab | undefined {
  return findAnotherLab(allProcesses(), ownConfiguration, bridgeOf)
}

/** The engine of another lab among the processes: one whose configuration, another file than ours, names our bridge. */
export function findAnotherLab(
  processes: readonly Process[],
  ownConfiguration: string,
  bridge: (configuration: string) => string | undefined,
): OtherLab | undefined {
  return processes
    .filter(({ commandLine }) => commandLine[0]?.split('/').at(-1) === 'dockerd')
    .filter(({ commandLine }) => commandLine.includes('--config-file'))
    .map(({ pid, commandLine }) => ({
      pid,
      configuration: commandLine[commandLine.indexOf('--config-file') + 1] ?? '',
    }))
    .find(
      ({ configuration }) => configuration !== ownConfiguration && bridge(configuration) === BRIDGE,
    )
}

function allProcesses(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((process) => process !== undefined)
}

function bridgeOf(configuration: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(configuration, 'utf8')) as { bridge?: string }).bridge
  } catch {
    return undefined // no file, or not one of a lab's
  }
}
