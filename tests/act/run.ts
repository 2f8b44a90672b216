// The workflows of continuous delivery, run for real: act, the release tree, the lab's registry and cluster.
import assert from 'node:assert/strict'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { provideExternals } from '../../lab/external.ts'
import { ensure } from '../../lab/lab.ts'
import { places } from '../../lab/places.ts'
import { plainVoice, showProgress } from '../../src/edge/terminal.ts'
import { cancelSignal } from '../../src/edge/world.ts'
import { messageOf } from '../../src/errors.ts'
import { at, listAt, textAt } from '../../src/json.ts'
import { runProgram } from '../../src/tools/program.ts'
import { treePath } from '../release/tree.ts'
import { runWorkflow, type Stage, type Workflow, type WorkflowRun } from './act.ts'

const PROJECT = join(import.meta.dirname, '../..')
const COMMAND_LIMIT_S = 300
const WHOLE_LIMIT_MS = 600_000

const progress = showProgress(process.stderr, plainVoice)

async function runAll(): Promise<void> {
  treePath()
  const lab = await ensure(['builder', 'registry', 'render', 'scan', 'cluster', 'workflows'])
  const folder = await mkdtemp(join(places.cache, 'act-'))
  const late = AbortSignal.timeout(WHOLE_LIMIT_MS)
  const stage = { lab, folder, signal: AbortSignal.any([cancelSignal(), late]) }
  try {
    const unverified = await progress.step('Publish a release that nobody verifies', () =>
      publishUnverified(stage),
    )
    await progress.step('cd-dev.yml builds, deploys to dev and verifies', () => deliver(stage))
    await progress.step('promote.yml refuses what was never verified', () =>
      refuse(unverified, stage),
    )
    await progress.step('promote.yml takes dev to staging and verifies', () =>
      promote({ file: 'promote.yml', from: 'dev', to: 'staging' }, stage),
    )
    await progress.step('cd-production.yml takes staging to production and verifies', () =>
      promote({ file: 'cd-production.yml', from: 'staging', to: 'production' }, stage),
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A release of the same images that differs in a file, so that it has a digest of its own; returns its reference. */
async function publishUnverified(stage: Stage): Promise<string> {
  const { lab, folder } = stage
  const manifests = join(folder, 'k8s')
  await cp(join(PROJECT, 'k8s'), manifests, { recursive: true })
  await writeFile(join(manifests, 'NOTE'), `${new Date().toISOString()}\n`)
  const report = await runCommand(
    'build-images',
    {
      registry: `${lab.registry}/todo`,
      builder: lab.builder,
      'vulnerability-db': lab.vulnerabilityDatabase,
      manifests,
    },
    stage,
  )
  const image = (name: string) => textAt(report, 'images', name, 'reference') ?? ''
  await provideExternals({ databaseImage: image('database'), modelImage: image('local-model') })
  return textAt(report, 'release') ?? ''
}

async function deliver(stage: Stage): Promise<void> {
  const run = await start({ file: 'cd-dev.yml', event: 'push' }, stage)
  expectGood(run, ['build', 'dev'])
  const dev = await statusOf('dev', stage)
  assert.match(dev.release, /@sha256:[0-9a-f]{64}$/, 'dev runs no release')
  assert.equal(dev.verdict, 'pass', 'the release in dev has no passing verdict')
}

async function refuse(unverified: string, stage: Stage): Promise<void> {
  const before = await statusOf('staging', stage)
  const inputs = { from: 'dev', to: 'staging', release: unverified, mode: 'apply', reason: 'act' }
  const run = await start({ file: 'promote.yml', event: 'workflow_dispatch', inputs }, stage)
  assert.deepEqual(run.jobs, { promote: 'failure' }, run.log.join('\n'))
  assert.equal(run.steps['Promote'], 'failure', run.log.join('\n'))
  assert.deepEqual(await statusOf('staging', stage), before, 'the refusal changed staging')
}

async function promote(
  way: { readonly file: string; readonly from: string; readonly to: string },
  stage: Stage,
): Promise<void> {
  const { file, from, to } = way
  const route = file === 'promote.yml' ? { from, to, mode: 'apply' } : {}
  const inputs = { ...route, release: '', reason: 'act' }
  const run = await start({ file, event: 'workflow_dispatch', inputs }, stage)
  expectGood(run, ['promote'])
  const before = await statusOf(from, stage)
  const after = await statusOf(to, stage)
  assert.equal(after.release, before.release, `${to} does not run what ${from} runs`)
  assert.equal(after.verdict, 'pass', `the release in ${to} has no passing verdict`)
}

async function start(workflow: Workflow, stage: Stage): Promise<WorkflowRun> {
  const run = await runWorkflow(workflow, stage)
  for (const [step, result] of Object.entries(run.steps)) progress.say(`${result}: ${step}`)
  return run
}

function expectGood(run: WorkflowRun, jobs: readonly string[]): void {
  const wanted = Object.fromEntries(jobs.map((job) => [job, 'success']))
  assert.deepEqual(run.jobs, wanted, run.log.join('\n'))
}

/** What runs in an environment, by the product's own command line. */
async function statusOf(
  environment: string,
  stage: Stage,
): Promise<{ readonly release: string; readonly verdict: string; readonly since: string }> {
  const inputs = { mode: 'status', kubeconfig: stage.lab.kubeconfig }
  const report = await runCommand('promote', inputs, stage)
  const found = listAt(report, 'environments').find((entry) => at(entry, 'name') === environment)
  const read = (key: string) => textAt(found, key) ?? ''
  return { release: read('release'), verdict: read('verdict'), since: read('since') }
}

/** Runs the released command line; returns its report, throws where it failed. */
async function runCommand(
  command: string,
  inputs: Readonly<Record<string, string>>,
  stage: Stage,
): Promise<unknown> {
  const file = join(stage.folder, `${command}.json`)
  const flags = Object.entries({ ...inputs, json: file }).map(
    ([name, value]) => `--${name}=${value}`,
  )
  const program = {
    argv: [process.execPath, treePath('bin/todo-deploy.mjs'), command, ...flags],
    cwd: PROJECT,
    env: { ...(process.env as Record<string, string>), ...stage.lab.environment },
    timeoutSeconds: COMMAND_LIMIT_S,
  } as const
  const { status, stderr } = await runProgram(program, stage.signal)
  assert.equal(status, 0, stderr)
  return JSON.parse(await readFile(file, 'utf8')) as unknown
}

try {
  await runAll()
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}
