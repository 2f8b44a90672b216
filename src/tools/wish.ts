import { refuse } from '../errors.ts'
import type { ToolName, Tools, ToolWish } from '../world.ts'

/** As an image is named: program, version, and the sha256 of the archive it is released as. */
const WISH = /^([a-z]+):v?(\d[\w.+-]*)(?:@sha256:([0-9a-f]{64}))?$/

/** Reads `syft:1.53.0@sha256:…`, one for each program. Throws `UserError` with all that is wrong. */
export function parseWishes(
  items: readonly string[],
  allowed: readonly ToolName[],
): ReadonlyMap<ToolName, ToolWish> {
  const wishes = new Map<ToolName, ToolWish>()
  const problems: string[] = []
  for (const item of items) {
    const [, written = '', version = '', sha256] = WISH.exec(item) ?? []
    const name = allowed.find((one) => one === written)
    if (version === '')
      problems.push(`"${item}" is not written as program:version@sha256:… with 64 digits`)
    else if (name === undefined)
      problems.push(`"${item}" names no program that is used here; there are ${allowed.join(', ')}`)
    else if (wishes.has(name)) problems.push(`${name} is named twice`)
    else wishes.set(name, { version: `v${version}`, ...(sha256 === undefined ? {} : { sha256 }) })
  }
  if (problems.length > 0) refuse('Wrong input: tools', problems)
  return wishes
}

/** The same tools, each in the version that was asked for. */
export function withWishes(tools: Tools, wishes: ReadonlyMap<ToolName, ToolWish>): Tools {
  return (name) => tools(name, wishes.get(name))
}
