import { join } from 'node:path'
import * as core from '@actions/core'
import { diskFull, isDiskFull, messageOf } from '../errors.ts'
import type { Place } from '../world.ts'
import { branchesOfRun } from './branches.ts'
import { type Command, STATUS } from './command.ts'
import { type InputSpecs, parseInputs } from './inputs.ts'
import { resultOfError, writeFiles } from './report.ts'
import { showProgress } from './terminal.ts'
import { describeWorkflow, readSigning } from './signing.ts'
import { githubVoice, MOST_ANNOTATIONS } from './voice.ts'
import { cancelSignal, inRealWorld } from './world.ts'

const voice = githubVoice()

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
    // The headline is one of those that are shown.
    for (const { title, message, place } of result.annotations?.slice(0, MOST_ANNOTATIONS - 1) ??
      [])
      core.error(message, { title, ...annotationOf(place) })
    for (const line of result.details ?? []) core.info(voice.line(line))
    process.exitCode = result.status
  } catch (error) {
    const message = isDiskFull(error) ? diskFull([]).message : messageOf(error)
    core.error(signal.aborted ? `${command.name} was cancelled` : message)
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
      run: `${process.env['GITHUB_WORKFLOW'] || 'action'}-${process.env['GITHUB_RUN_ID'] ?? ''}-${process.pid}`,
      ...describeWorkflow(process.env),
      signing: await readSigning(process.env),
      branches: await branchesOfRun(process.env),
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
