import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Lab } from '../../lab/lab.ts'
import { places } from '../../lab/places.ts'
import { UserError } from '../../src/errors.ts'
import { isObject, textAt } from '../../src/json.ts'
import { runProgram } from '../../src/tools/program.ts'

/** How a workflow ended: its jobs by id, and its named steps. */
export type WorkflowRun = {
  readonly jobs: Readonly<Record<string, string>>
  readonly steps: Readonly<Record<string, string>>
  /** Its last words, for people. */
  readonly log: readonly string[]
}

export type Workflow = {
  /** Name of the file below `.github/workflows`. */
  readonly file: string
  readonly event: 'push' | 'workflow_dispatch'
  readonly inputs?: Readonly<Record<string, string>>
}

/** The lab, a folder for files of this run, and the end of its time. */
export type Stage = { readonly lab: Lab; readonly folder: string; readonly signal: AbortSignal }

const PROJECT = join(import.meta.dirname, '../..')
const WORKFLOWS = '.github/workflows'
const WORKFLOW_LIMIT_S = 300
const SHOWN_LINES = 40

/** Runs a workflow under act on this very machine, against the lab, with the actions of the release tree. */
export async function runWorkflow(
  workflow: Workflow,
  { lab, folder, signal }: Stage,
): Promise<WorkflowRun> {
  const kubeconfig = await readFile(lab.kubeconfig, 'utf8')
  const result = await runProgram(
    {
      argv: [await findAct(lab), ...actArguments(workflow, await readWorkflows(), lab)],
      cwd: PROJECT,
      env: {
        HOME: process.env['HOME'] ?? '',
        PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
        // Its workspaces, and no configuration of the user's own.
        XDG_CACHE_HOME: folder,
        XDG_CONFIG_HOME: folder,
        KUBE_CONFIG: Buffer.from(kubeconfig).toString('base64'),
      },
      timeoutSeconds: WORKFLOW_LIMIT_S,
    },
    signal,
  )
  return readRun(`${result.stdout}\n${result.stderr}`)
}

/** The text of all workflows: one may call another. */
async function readWorkflows(): Promise<string> {
  const folder = join(PROJECT, WORKFLOWS)
  const files = (await readdir(folder)).sort()
  return (await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))).join('\n')
}

/** The arguments of act; the kubeconfig goes by the environment, where no process list shows it. */
export function actArguments(workflow: Workflow, all: string, lab: Lab): string[] {
  const variables = {
    REGISTRY: `${lab.registry}/todo`,
    BUILDER: lab.builder,
    VULNERABILITY_DB: lab.vulnerabilityDatabase,
  }
  const { KUBECONFIG: _secret, ...environment } = lab.environment
  const cache = { TODO_DEPLOY_CACHE: places.cache }
  const pairs = (flag: string, values: Readonly<Record<string, string>>) =>
    Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${value}`])
  return [
    workflow.event,
    ...['--workflows', join(WORKFLOWS, workflow.file)],
    ...['--platform', 'ubuntu-latest=-self-hosted'],
    ...['--no-cache-server', '--json', '--actor', 'somebody'],
    ...['--secret', 'KUBE_CONFIG', '--secret', 'GITHUB_TOKEN=none'],
    ...pairs('--var', variables),
    ...pairs('--env', { ...environment, ...cache }),
    ...pairs('--input', workflow.inputs ?? {}),
    ...usedRepositories(all).flatMap((name) => ['--local-repository', `${name}=${folderOf(name)}`]),
  ]
}

/** `owner/name@ref` of every action of another repository that workflows name; act has its own checkout. */
function usedRepositories(workflows: string): readonly string[] {
  const found = workflows.matchAll(/uses: ([\w.-]+\/[\w.-]+)(?:\/[\w./-]+)?@([\w.-]+)/g)
  const names = [...found].map(([, repository = '', ref = '']) => `${repository}@${ref}`)
  return [...new Set(names)].filter((name) => !name.startsWith('actions/checkout@'))
}

function folderOf(repository: string): string {
  if (repository.startsWith('org/todo-deploy@')) return join(PROJECT, 'out/release')
  const name = repository.replace(/^.*\//, '').replace(/@.*$/, '')
  return join(import.meta.dirname, 'shims', name)
}

async function findAct(lab: Lab): Promise<string> {
  if (lab.tools === '') return 'act'
  const manifest: unknown = JSON.parse(await readFile(lab.tools, 'utf8'))
  const path = textAt(manifest, 'act', 'path')
  if (path === undefined)
    throw new UserError('act is not there; run "npm run lab:up workflows", which makes it')
  return path
}

/** act says one JSON object a line; those with a result end a step or a job. */
export function readRun(output: string): WorkflowRun {
  const jobs: Record<string, string> = {}
  const steps: Record<string, string> = {}
  const log: string[] = []
  for (const line of output.split('\n').filter((text) => text.trim() !== '')) {
    const said = parseLine(line)
    const [job, step] = [textAt(said, 'jobID'), textAt(said, 'step')]
    const [jobResult, stepResult] = [textAt(said, 'jobResult'), textAt(said, 'stepResult')]
    if (job !== undefined && jobResult !== undefined) jobs[job] = jobResult
    else if (step !== undefined && stepResult !== undefined) steps[step] = stepResult
    log.push(textAt(said, 'msg')?.trimEnd() ?? line)
  }
  return { jobs, steps, log: log.slice(-SHOWN_LINES) }
}

function parseLine(line: string): unknown {
  try {
    const said: unknown = JSON.parse(line)
    return isObject(said) ? said : undefined
  } catch {
    return undefined // act's own complaints are not JSON.
  }
}
