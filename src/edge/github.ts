import { join } from 'node:path'
import * as core from '@actions/core'
import { context } from '@actions/github'
import { messageOf } from '../errors.ts'
import type { Place } from '../world.ts'
import { type Command, STATUS } from './command.ts'
import { type InputSpecs, parseInputs } from './inputs.ts'
import { resultOfError, writeFiles } from './report.ts'
import { showProgress, type Voice } from './terminal.ts'
import { describeWorkflow, readSigning } from './signing.ts'
import { cancelSignal, inRealWorld } from './world.ts'

const voice: Voice = {
  begin: (title) => `::group::${title}`,
  end: (title, seconds) => `✓ ${title} (${seconds} s)\n::endgroup::`,
  warning: (line, place) =>
    `::warning${place === undefined ? '' : ` ${propertiesOf(place)}`}::${escapeData(line)}`,
  // The runner reads a command behind any indent: what a build prints must not become one.
  line: (line) => (/^\s*(::|##\[)/.test(line) ? `  │ ${line}` : `  ${line}`),
}

/** Runs a command as a GitHub Action: inputs from `INPUT_*`, outputs, summary, annotation and exit status. */
export async function runAction<S extends InputSpecs>(command: Command<S>): Promise<void> {
  const signal = cancelSignal()
  const folder = folderOf(command.name)
  try {
    const result = await execute(command, signal)
    const outputs = await writeFiles(result, { folder, report: join(folder, 'report.json') })
    for (const [name, value] of Object.entries(outputs)) core.setOutput(name, value)
    if (process.env['GITHUB_STEP_SUMMARY'] !== undefined)
      await core.summary.addRaw(result.summary, true).write()
    if (result.status === STATUS.good) core.info(result.headline)
    else core.error(result.headline, annotationOf(result.place))
    for (const line of result.details ?? []) core.info(voice.line(line))
    process.exitCode = result.status
  } catch (error) {
    core.error(signal.aborted ? `${command.name} was cancelled` : messageOf(error))
    if (error instanceof Error && error.stack !== undefined) core.debug(error.stack)
    process.exitCode = signal.aborted ? STATUS.cancelled : STATUS.failed
  }
}

async function execute<S extends InputSpecs>(command: Command<S>, signal: AbortSignal) {
  try {
    const inputs = parseInputs(command.inputs, (name) => core.getInput(name))
    // A log, even where it looks like a terminal, as under act: lines must stay.
    const log = { write: (text: string) => process.stdout.write(text) }
    const progress = showProgress(log, voice)
    const caller = {
      actor: process.env['GITHUB_ACTOR'] ?? '',
      revision: process.env['GITHUB_SHA'] ?? '',
      run: `${context.workflow || 'action'}-${process.env['GITHUB_RUN_ID'] ?? ''}-${process.pid}`,
      ...describeWorkflow(process.env),
      signing: await readSigning(process.env),
      gitToken: process.env['TODO_DEPLOY_GIT_TOKEN'],
      folder: folderOf(command.name),
    }
    for (const secret of [caller.signing.key, caller.signing.password, caller.gitToken])
      if (secret !== undefined && secret !== '') core.setSecret(secret)
    return await inRealWorld({ progress, signal }, (world) => command.run(inputs, world, caller))
  } catch (error) {
    signal.throwIfAborted()
    return resultOfError(error, command.name)
  }
}

function folderOf(command: string): string {
  return join(process.env['RUNNER_TEMP'] ?? 'out', 'todo-deploy', command)
}

function annotationOf(place: Place | undefined): core.AnnotationProperties {
  return place === undefined ? {} : { file: place.file, startLine: place.line }
}

/** Where an annotation is shown: at the line of the file. */
function propertiesOf({ file, line }: Place): string {
  const escaped = escapeData(file).replaceAll(':', '%3A').replaceAll(',', '%2C')
  return `file=${escaped},line=${line}`
}

/** Text of others must not become a command of the runner. */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}
