import { availableParallelism } from 'node:os'
import { BUILDER, environmentOf } from './builder.ts'
import { outsideCaches } from './gotools.ts'
import { moduleNames } from './toolset.ts'
import { CONTEXT } from './cluster.ts'
import { ownHost } from './engine.ts'
import { takeLock } from './lock.ts'
import { offlineGoals, offlineSteps } from './offline.ts'
import { onlineGoals, onlineSteps } from './online.ts'
import { optionalModules } from './optional.ts'
import { places } from './places.ts'
import { createReporter } from './progress.ts'
import type { Reporter } from './progress.ts'
import { checkOffline, findReach } from './reach.ts'
import type { Reach } from './reach.ts'
import { REGISTRY } from './registry.ts'
import { createSchedule } from './schedule.ts'
import type { Schedule, StepStatus } from './schedule.ts'
import { ensureSigningKey } from './signing.ts'
import { findLab, readLab, writeLab } from './state.ts'
import type { Lab, Part } from './state.ts'
import { vulnerabilityFolder } from './vulnerabilities.ts'

export { findLab, parts, readLab } from './state.ts'
export type { Lab, Part } from './state.ts'
export { createReporter, timeTable } from './progress.ts'
export type { Reporter } from './progress.ts'

/** Compilers are parallel themselves: two at once keep the processors busy while one of them links. */
const COMPILING_AT_ONCE = 2
const FETCHING_AT_ONCE = 3

interface Start {
  readonly schedule: Schedule
  readonly goals: Readonly<Record<Part, readonly string[]>>
  readonly finished: (part: Part) => void
  readonly giveBack: () => void
}

let start: Promise<Start> | undefined
let underWay = 0

/**
 * Makes the parts of the lab ready, and returns where they are. May be called several times at once: what is wanted first goes
 * first, and nothing is done twice. Other processes wait until every call of this one has ended.
 */
export async function ensure(
  wanted: readonly Part[],
  reporter: Reporter = ownReporter(),
): Promise<Lab> {
  underWay += 1
  const current = (start ??= begin(reporter))
  try {
    const { schedule, goals, finished } = await current
    await Promise.all(
      wanted.map(async (part) => {
        await schedule.ensure(goals[part])
        finished(part)
      }),
    )
    return readLab()
  } finally {
    underWay -= 1
    if (underWay === 0)
      await current.then(
        ({ giveBack }) => {
          giveBack()
        },
        () => undefined,
      )
  }
}

/** What was done so far, for a table of times. */
export async function stepsSoFar(): Promise<readonly StepStatus[]> {
  return start === undefined ? [] : (await start).schedule.status()
}

let own: Reporter | undefined
function ownReporter(): Reporter {
  return (own ??= createReporter(process.stderr, COMPILING_AT_ONCE))
}

async function begin(reporter: Reporter): Promise<Start> {
  const giveBack = await takeLock(places.lock, (line) => {
    reporter.say(line)
  })
  try {
    return { ...(await plan(reporter)), giveBack }
  } catch (failure) {
    giveBack()
    throw failure
  }
}

async function plan(reporter: Reporter): Promise<Omit<Start, 'giveBack'>> {
  const before = findLab()
  const reach = await reachOf(before)
  reporter.say(`${reach.way}: ${reach.why}`)
  if (reach.way === 'offline') {
    await checkOffline(reach)
    const outside = await outsideCaches(
      moduleNames.filter((name) => !optionalModules.includes(name)),
    )
    if (outside !== undefined) reporter.say(outside)
  }
  const host = reach.engine ?? ownHost
  let lab = newLab(reach, before)
  const setting = {
    host,
    ownEngine: reach.engine === undefined,
    say: (line: string) => {
      reporter.say(line)
    },
    wasReady: before?.ready ?? [],
    onNodeImage: (nodeImage: string) => void (lab = { ...lab, nodeImage }),
  }
  const steps = reach.way === 'offline' ? await offlineSteps(setting) : onlineSteps(setting)
  const schedule: Schedule = createSchedule(steps, {
    slots: {
      processors: Math.min(COMPILING_AT_ONCE, availableParallelism()),
      network: FETCHING_AT_ONCE,
    },
    onChange: (status) => {
      reporter.change(status, schedule.status())
    },
  })
  const finished = (part: Part): void => {
    lab = { ...lab, ready: [...new Set([...lab.ready, part])] }
    writeLab(lab)
  }
  return { schedule, finished, goals: reach.way === 'offline' ? offlineGoals : onlineGoals }
}

// A lab that is there keeps its way and its engine, whatever else has become reachable since.
async function reachOf(before: Lab | undefined): Promise<Reach> {
  if (before === undefined) return findReach()
  const engine = before.ownEngine ? undefined : before.dockerHost
  if (before.ownEngine || (await findReach()).engine !== undefined)
    return { way: before.way, why: 'as when the lab was last started', engine }
  return findReach()
}

function newLab(reach: Reach, before: Lab | undefined): Lab {
  const host = reach.engine ?? ownHost
  const tools = reach.way === 'offline' ? places.manifest : ''
  return {
    version: 1,
    way: reach.way,
    dockerHost: host,
    ownEngine: reach.engine === undefined,
    builder: BUILDER,
    registry: REGISTRY,
    kubeconfig: places.kubeconfig,
    context: CONTEXT,
    tools,
    vulnerabilityDatabase: reach.way === 'offline' ? vulnerabilityFolder : '',
    nodeImage: before?.nodeImage ?? '',
    environment: {
      ...environmentOf(host),
      KUBECONFIG: places.kubeconfig,
      TODO_DEPLOY_SIGNING_KEY_FILE: ensureSigningKey(),
      // For the input of that name; empty means grype's own.
      VULNERABILITY_DB: reach.way === 'offline' ? vulnerabilityFolder : '',
      ...(tools === '' ? {} : { TODO_DEPLOY_TOOLS: tools }),
    },
    ready: [],
  }
}
