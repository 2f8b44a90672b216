import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readActionFile, treePath } from './tree.ts'

export type Run = {
  readonly status: number | null
  readonly log: string
  readonly outputs: Readonly<Record<string, string>>
  readonly summary: string
  /** The text of the file that the output `report` names. */
  readonly report: string
}

const LIMIT_MS = 30_000

/** Starts an action of the release tree the way GitHub's runner does: its file, an environment of our own, files for what it says. */
export async function startAction(
  action: string,
  given: Readonly<Record<string, string>>,
): Promise<Run> {
  const { inputs, runs } = await readActionFile(action)
  const folder = await mkdtemp(join(tmpdir(), 'todo-deploy-runner-'))
  try {
    const files = { output: join(folder, 'output'), summary: join(folder, 'summary') }
    for (const file of Object.values(files)) await writeFile(file, '')
    const values = Object.entries(inputs).map(([name, input]): [string, string] => [
      variableOf(name),
      given[name] ?? input.default ?? '',
    ])
    const environment = {
      ...Object.fromEntries(values),
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      RUNNER_TEMP: folder,
      GITHUB_OUTPUT: files.output,
      GITHUB_STEP_SUMMARY: files.summary,
    }
    const file = treePath('actions', action, runs.main)
    const { status, log } = await startNode(file, { environment, folder })
    const outputs = parseOutputs(await readFile(files.output, 'utf8'))
    const report = await readFile(outputs['report'] ?? '', 'utf8').catch(() => '')
    return { status, log, outputs, report, summary: await readFile(files.summary, 'utf8') }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** As the runner names it: upper case, spaces to underscores, dashes as they are. */
function variableOf(input: string): string {
  return `INPUT_${input.replaceAll(' ', '_').toUpperCase()}`
}

async function startNode(
  file: string,
  where: { readonly environment: Readonly<Record<string, string>>; readonly folder: string },
): Promise<{ readonly status: number | null; readonly log: string }> {
  const child = spawn(process.execPath, [file], {
    cwd: where.folder,
    env: where.environment,
    timeout: LIMIT_MS,
  })
  let log = ''
  child.stdout.on('data', (data: Buffer) => (log += data.toString()))
  child.stderr.on('data', (data: Buffer) => (log += data.toString()))
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { status, log }
}

/** `name<<delimiter`, lines, `delimiter`: the only form that takes any text. */
function parseOutputs(text: string): Record<string, string> {
  const outputs: Record<string, string> = {}
  for (const [, name = '', , value = ''] of text.matchAll(/^(.+?)<<(.+)\n([\s\S]*?)\n\2$/gm))
    outputs[name] = value
  return outputs
}
