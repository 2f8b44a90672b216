import { execFileSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { branchesOfCheckout } from '../src/edge/branches.ts'
import { STATUS } from '../src/edge/command.ts'
import { plainVoice, showProgress } from '../src/edge/terminal.ts'
import { cancelSignal, inRealWorld } from '../src/edge/world.ts'
import { openCluster } from '../src/cluster/cluster.ts'
import { messageOf, UserError } from '../src/errors.ts'
import { parseJson, textAt } from '../src/json.ts'
import { markdownTable } from '../src/report/markdown.ts'
import type { ToolName, World } from '../src/world.ts'
import { openStage, type Stage } from './demo/stage.ts'
import { addTodoByChat } from './demo/todo.ts'
import { provideExternals } from './external.ts'
import { LabError } from './failure.ts'
import { ensure, type Lab, type Part } from './lab.ts'
import { ensureSigningKey } from './signing.ts'

/** What one environment is in the report of the demo. */
type EnvironmentReport = {
  readonly outcome: string
  readonly release: string
  readonly verdict: string
  readonly url: string
}

const REPORT = 'out/demo/report.json'
/** The part of the lab that has each tool: asked for when it is needed, so that building begins while others still compile. */
const PART_OF: Readonly<Record<ToolName, Part>> = {
  buildx: 'builder',
  kind: 'cluster',
  kubectl: 'cluster',
  kubeconform: 'render',
  kustomize: 'render',
  helm: 'render',
  syft: 'scan',
  grype: 'scan',
}

/** The main job: build, scan, publish, deploy to dev, verify, promote the same digests to staging and production. */
async function demo(world: World): Promise<void> {
  const stage = openStage(world, {
    actor: userInfo().username,
    revision: execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim(),
    run: `demo-${process.pid}`,
    source: '',
    builder: 'https://todo-deploy.dev/builder/lab',
    signing: { key: await readFile(ensureSigningKey(), 'utf8') },
    branches: await branchesOfCheckout(),
  })
  // Everything is asked for at once: the first image is built while the cluster is still being made.
  const whole = ensure(['builder', 'registry', 'render', 'scan', 'cluster'])
  whole.catch(() => undefined)
  const lab = await stage.time('lab: builder', () => ensure(['engine', 'registry', 'builder']))
  Object.assign(process.env, lab.environment)
  const built = await stage.run('build', 'build-images', {
    registry: `${lab.registry}/todo`,
    builder: lab.builder,
    'vulnerability-db': lab.vulnerabilityDatabase,
  })
  const release = built.outputs['release'] ?? ''
  await stage.time('lab: cluster', () => whole)
  const environments = await carry(release, { lab, stage, built: built.report }, world)
  const report = {
    version: 1,
    images: parseJson(built.outputs['images'] ?? '', 'the images'),
    findings: built.report['findings'],
    release,
    environments,
    seconds: stage.seconds,
  }
  await mkdir('out/demo', { recursive: true })
  await writeFile(REPORT, `${JSON.stringify(report, null, 2)}\n`)
  conclude(environments, stage, world)
}

/** Takes the release through the three environments and uses the application in each. */
async function carry(
  release: string,
  how: { readonly lab: Lab; readonly stage: Stage; readonly built: unknown },
  world: World,
): Promise<Readonly<Record<string, EnvironmentReport>>> {
  const { lab, stage } = how
  const where = { kubeconfig: lab.kubeconfig, context: lab.context }
  const cluster = await openCluster(where, world.signal)
  const image = (name: string) => textAt(how.built, 'images', name, 'reference') ?? ''
  await stage.time('lab: what a platform provides', () =>
    provideExternals({ databaseImage: image('database'), modelImage: image('local-model') }),
  )
  const environments: Record<string, EnvironmentReport> = {}
  const visit = async (
    name: string,
    bring: () => Promise<string>,
    place: { readonly namespace: string; readonly pod: string },
  ) => {
    const outcome = await bring()
    const verified = await stage.run(`verify ${name}`, 'verify', {
      ...where,
      environment: name,
      release,
    })
    const url = `http://127.0.0.1:${30080 + Object.keys(environments).length}`
    const said = await stage.time(`use ${name}`, () => addTodoByChat(url, place, cluster))
    world.progress.say(said)
    environments[name] = { outcome, release, verdict: verified.outputs['verdict'] ?? '', url }
  }
  const promote = (from: string, to: string) => async () => {
    const inputs = { ...where, from, to, release, reason: 'demo' }
    return (await stage.run(`promote to ${to}`, 'promote', inputs)).outputs['outcome'] ?? ''
  }
  await visit(
    'dev',
    async () => {
      const inputs = { ...where, environment: 'dev', release }
      return (await stage.run('deploy dev', 'deploy', inputs)).outputs['outcome'] ?? ''
    },
    { namespace: 'todo-app-dev', pod: 'postgresql-0' },
  )
  await visit('staging', promote('dev', 'staging'), {
    namespace: 'todo-app-staging',
    pod: 'postgresql-0',
  })
  await visit('production', promote('staging', 'production'), {
    namespace: 'todo-external',
    pod: 'postgres-0',
  })
  return environments
}

function conclude(
  environments: Readonly<Record<string, EnvironmentReport>>,
  stage: Stage,
  world: World,
): void {
  const rows = Object.entries(environments).map(([name, { outcome, verdict, release, url }]) => [
    name,
    outcome,
    verdict,
    `…${release.slice(-19)}`,
    url,
  ])
  const { say } = world.progress
  const times = Object.entries(stage.seconds).map(([step, took]) => `${step} ${took.toFixed(1)} s`)
  say(`Where the time went: ${times.join(', ')}`)
  for (const line of markdownTable(
    ['environment', 'outcome', 'verdict', 'release', 'open'],
    rows,
  ).split('\n'))
    say(line)
  const unchanged = Object.values(environments).every(({ outcome }) => outcome === 'unchanged')
  say(
    unchanged
      ? 'Nothing changed: everything was as the release has it.'
      : 'All three run the same digests.',
  )
  say(`The report is ${REPORT}; stop the lab with "npm run lab:down".`)
}

const signal = cancelSignal()
try {
  await inRealWorld({ progress: showProgress(process.stdout, plainVoice), signal }, (world) =>
    demo({
      ...world,
      tools: async (name) => {
        const { environment } = await ensure([PART_OF[name]])
        Object.assign(process.env, environment)
        return await world.tools(name)
      },
    }),
  )
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  for (const line of error instanceof UserError ? error.details : [])
    process.stderr.write(`  ${line}\n`)
  // Those two say what to do; of others nobody knows.
  const isKnown = error instanceof UserError || error instanceof LabError
  if (!isKnown && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`)
  process.exitCode = STATUS.failed
}
