// Started by `bench/deploy.ts`, once the lab is there.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { toolPath } from '../../lab/gotools.ts'
import { readLab } from '../../lab/lab.ts'
import { type Cluster, openCluster } from '../../src/cluster/cluster.ts'
import { messageOf } from '../../src/errors.ts'
import { shellImage } from '../../tests/deploy/failures/stage.ts'
import { demoRelease } from '../../tests/e2e/lab.ts'
import { testPrograms } from '../../tests/programs.ts'
import { loadNow } from '../measure.ts'
import { measureFailures } from './failures.ts'
import { measureGrowth } from './growth.ts'
import { type Measured, type Part, PARTS } from './outcomes.ts'
import { keepRaw, report, say } from './results.ts'
import type { Setting } from './sides.ts'
import { measureSpeed, type Speed } from './speed.ts'
import { layOut } from './stack.ts'

const LIMIT_MS = 3_600_000

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      only: { type: 'string', default: '' },
    },
  })
  const wanted = values.only.split(',').filter((name) => name !== '')
  const isWanted = (part: Part) => wanted.length === 0 || wanted.includes(part)
  const unknown = wanted.find((name) => !PARTS.some((part) => part === name))
  if (unknown !== undefined)
    throw new Error(`--only has "${unknown}"; it may be ${PARTS.join(', ')}`)
  const lab = readLab()
  const setting: Setting = {
    lab,
    folder: await mkdtemp(join(tmpdir(), 'bench-deploy-')),
    programs: {
      kubectl: await testPrograms.tool('kubectl'),
      helm: await testPrograms.tool('helm'),
      kwok: toolPath('kwok'),
    },
  }
  const where = { kubeconfig: lab.kubeconfig, context: lab.context }
  const cluster = await openCluster(where, AbortSignal.timeout(LIMIT_MS))
  try {
    const context = { setting, cluster }
    const [loads, dates]: [Partial<Record<Part, number>>, Partial<Record<Part, string>>] = [{}, {}]
    let measured: Partial<Measured> = { loads, dates }
    const add = async (part: Part, work: () => Promise<Partial<Measured>>) => {
      if (!isWanted(part)) return
      loads[part] = loadNow()
      dates[part] = new Date().toISOString()
      say(`▸ ${part}`)
      measured = { ...measured, ...(await work()) }
      await keepRaw(measured)
    }
    // First, while the cluster has nothing to clean up.
    await add('speed', () => speedOf(context, values.rounds))
    await add('failures', async () => ({ verdicts: await failuresOf(context) }))
    await add('growth', async () => ({ sizes: await growthOf(context) }))
    return (await report(measured, setting)) ? 0 : 1
  } finally {
    await rm(setting.folder, { recursive: true, force: true })
  }
}

type Context = { readonly setting: Setting; readonly cluster: Cluster }

async function speedOf(context: Context, text: string): Promise<Speed> {
  const rounds = Number(text)
  if (!(rounds >= 1)) throw new Error(`--rounds is "${text}"; it has to be a number`)
  const stacks = await layOut(await demoRelease(), context.setting)
  return await measureSpeed(stacks, { ...context, rounds }, (turn) => {
    const { side, readySeconds, endSeconds, againSeconds, nextSeconds } = turn
    const [ready, end, again, next] = [readySeconds, endSeconds, againSeconds, nextSeconds].map(
      (one) => one.toFixed(1),
    )
    const first = `ready after ${ready} s, says so after ${end} s`
    say(`  ${side.padEnd(8)} ${first}; again ${again} s; the next ready after ${next} s`)
  })
}

async function growthOf(context: Context): Promise<Measured['sizes']> {
  return await measureGrowth(context, ({ objects, seconds, calls, againSeconds, againCalls }) => {
    const again = `again ${againSeconds.toFixed(1)} s, ${againCalls} requests`
    say(`  ${objects} objects: ${seconds.toFixed(1)} s, ${calls} requests; ${again}`)
  })
}

async function failuresOf(context: Context): Promise<Measured['verdicts']> {
  const image = await shellImage()
  return await measureFailures({ ...context, image }, (verdict) => {
    const { side, failure, seconds, isRight, said } = verdict
    const word = isRight ? '' : 'WRONG: '
    say(`  ${side.padEnd(8)} ${failure}: ${seconds.toFixed(1)} s: ${word}${said.slice(0, 120)}`)
  })
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}
