import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { diskFull, isDiskFull, isTimeout, messageOf, UserError } from '../errors.ts'
import type { CommandResult } from './command.ts'
import { STATUS } from './command.ts'

/** Writes the report and the further files of a result; returns the outputs that name them. */
export async function writeFiles(
  result: CommandResult,
  place: { readonly folder: string; readonly report: string },
): Promise<Readonly<Record<string, string>>> {
  const outputs: Record<string, string> = { ...result.outputs, report: place.report }
  await mkdir(dirname(place.report), { recursive: true })
  await writeFile(place.report, `${JSON.stringify(result.report, null, 2)}\n`)
  for (const [output, { name, content }] of Object.entries(result.files ?? {})) {
    const path = join(place.folder, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
    outputs[output] = path
  }
  for (const [output, { name, files }] of Object.entries(result.folders ?? {})) {
    const folder = join(place.folder, name)
    await rm(folder, { recursive: true, force: true }) // What an earlier run left is not of this one.
    await mkdir(folder, { recursive: true })
    for (const [file, content] of Object.entries(files))
      await writeFile(join(folder, file), content)
    outputs[output] = folder
  }
  return outputs
}

/** The output that says how it went, by command. */
const OUTCOME: Readonly<Record<string, string>> = {
  deploy: 'outcome',
  promote: 'outcome',
  preview: 'outcome',
  verify: 'verdict',
}

/** A `UserError` as a result: first line the cause, status "refused". Anything else is a fault of ours and is thrown on. */
export function resultOfError(error: unknown, command: string): CommandResult {
  if (isTimeout(error))
    return resultOfError(new UserError(`${command} did not end in the time it was given`), command)
  if (isDiskFull(error)) return resultOfError(diskFull([messageOf(error)]), command)
  if (!(error instanceof UserError)) throw error
  return {
    outputs: {
      ...(OUTCOME[command] === undefined ? {} : { [OUTCOME[command]]: 'refused' }),
      ...(command === 'deploy' ? { cause: error.code ?? '' } : {}),
    },
    report: {
      kind: `${command}-refusal`,
      version: 1,
      outcome: 'refused',
      message: error.message,
      cause: error.code ?? null,
      details: error.details,
    },
    summary: `## ✗ ${command}: refused\n\n${error.message}\n`,
    headline: error.message,
    details: error.details,
    ...(error.place === undefined ? {} : { place: error.place }),
    status: STATUS.refused,
  }
}
