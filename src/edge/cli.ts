import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { diskFull, isDiskFull, UserError } from '../errors.ts'
import { branchesOfCheckout } from './branches.ts'
import { type Command, type CommandResult, STATUS } from './command.ts'
import { type InputSpecs, parseInputs } from './inputs.ts'
import { resultOfError, writeFiles } from './report.ts'
import { readSigning } from './signing.ts'
import { plainVoice, showProgress } from './terminal.ts'
import { cancelSignal, inRealWorld } from './world.ts'

type Flags = ReadonlyMap<string, string>

/** Runs `todo-deploy <command> --input value …`; returns the exit status. */
export async function runCli(
  args: readonly string[],
  commands: readonly Command[],
): Promise<number> {
  const [name, ...rest] = args
  const command = commands.find((found) => found.name === name)
  if (command === undefined) {
    const asked = name === undefined || name === '--help' || name === 'help'
    process.stdout.write(usage(commands))
    if (!asked) process.stderr.write(`There is no command "${name}".\n`)
    return asked ? STATUS.good : STATUS.refused
  }
  if (rest.includes('--help')) {
    process.stdout.write(usageOf(command))
    return STATUS.good
  }
  const signal = cancelSignal()
  let flags: Flags = new Map()
  const result = await (async () => {
    try {
      flags = parseFlags(rest, command)
      return await execute(command, flags, signal)
    } catch (error) {
      if (signal.aborted) throw error
      return resultOfError(error, command.name)
    }
  })().catch((error: unknown) => {
    if (signal.aborted) return undefined
    process.stderr.write(`${command.name} met a fault of its own; please report what follows\n`)
    throw error
  })
  if (result === undefined) {
    process.stderr.write(`${command.name} was cancelled\n`)
    return STATUS.cancelled
  }
  try {
    await printResult(result, command, flags)
    return result.status
  } catch (error) {
    if (!isDiskFull(error)) throw error
    // What was done is told all the same, but nobody can rely on a report.
    process.stderr.write(`${diskFull([]).message}\n${result.headline}\n`)
    return result.status === STATUS.good ? STATUS.failed : result.status
  }
}

async function execute<S extends InputSpecs>(
  command: Command<S>,
  flags: Flags,
  signal: AbortSignal,
): Promise<CommandResult> {
  const inputs = parseInputs(command.inputs, (input) => flags.get(input))
  const progress = showProgress(process.stderr, plainVoice)
  const caller = {
    actor: userInfo().username,
    revision: await currentRevision(),
    run: `${userInfo().username}-${process.pid}`,
    source: '',
    builder: 'https://todo-deploy.dev/builder/command-line',
    signing: await readSigning(process.env),
    branches: await branchesOfCheckout(),
    gitToken: process.env['TODO_DEPLOY_GIT_TOKEN'],
    folder: resolve('out', command.name),
  }
  try {
    return await inRealWorld({ progress, signal }, (world) => command.run(inputs, world, caller))
  } finally {
    progress.close()
  }
}

async function printResult(result: CommandResult, command: Command, flags: Flags): Promise<void> {
  const folder = resolve('out', command.name)
  const report = resolve(flags.get('json') ?? join(folder, 'report.json'))
  const outputs = await writeFiles(result, { folder, report })
  const summary = join(folder, 'summary.md')
  await mkdir(dirname(summary), { recursive: true })
  await writeFile(summary, result.summary)
  const stream = result.status === STATUS.good ? process.stdout : process.stderr
  stream.write(`${result.headline}\n`)
  for (const line of result.details ?? []) stream.write(`  ${line}\n`)
  for (const [name, value] of Object.entries(outputs))
    if (value !== '' && !value.startsWith('{')) process.stdout.write(`${name}: ${value}\n`)
}

/** Every flag is an input, written `--name value` or `--name=value`; unknown ones are refused. */
function parseFlags(args: readonly string[], command: Command): Flags {
  const flags = new Map<string, string>()
  const known = [...Object.keys(command.inputs), 'json']
  for (let index = 0; index < args.length; index += 1) {
    const [name = '', given] = (args[index] ?? '').replace(/^--/, '').split(/=(.*)/s)
    if (!(args[index] ?? '').startsWith('--') || !known.includes(name))
      throw new UserError(
        `${command.name} does not know "${args[index] ?? ''}"; it knows --${known.join(', --')}`,
      )
    const value = given ?? args[index + 1]
    if (value === undefined) throw new UserError(`--${name} needs a value`)
    if (given === undefined) index += 1
    flags.set(name, value)
  }
  return flags
}

async function currentRevision(): Promise<string> {
  const ask = promisify(execFile)
  return await ask('git', ['rev-parse', 'HEAD']).then(
    ({ stdout }) => stdout.trim(),
    () => '', // Not a checkout: the release then names no commit.
  )
}

function usage(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => `  todo-deploy ${name}`).join('\n')
  return `Carries an application from commit to production on plain Kubernetes.\n\n${names}\n\nAdd --help to a command for its flags; --json FILE writes its report there.\n`
}

function usageOf(command: Command): string {
  const rows = Object.entries(command.inputs).map(([name, spec]) => {
    const allowed = spec.type === 'choice' ? ` (${spec.allowed.join(', ')})` : ''
    const fallback = spec.default === undefined || spec.default === '' ? '' : ` [${spec.default}]`
    const required = 'required' in spec && spec.required ? ' required' : ''
    return `  --${name}  ${spec.type}${allowed}${fallback}${required}`
  })
  return `todo-deploy ${command.name}\n\n${rows.join('\n')}\n  --json  file for the report\n`
}
