import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LabError } from './failure.ts'
import { goModules } from './gomodules.ts'
import type { GoModule, Program } from './gomodules.ts'
import { source } from './places.ts'

/** Programs of the lab's own have the version of the lab. */
const OWN_VERSION = 'v1.0.0'

export type ModuleName = keyof typeof goModules

export const moduleNames = Object.keys(goModules) as readonly ModuleName[]

export function programsOf(name: ModuleName): Readonly<Record<string, Program>> {
  return goModules[name].programs
}

export function titleOf(name: ModuleName): string {
  return goModules[name].title
}

/** Build flags of a module beside those that all have. */
export function tagFlags(name: ModuleName): readonly string[] {
  const { tags }: GoModule = goModules[name]
  return tags === undefined ? [] : ['-tags', tags]
}

export function folderOf(name: ModuleName): string {
  return join(source, 'tools', name)
}

/** The version of a program, read from its go.mod, so that it is written in one place only. */
export function versionOf(name: ModuleName, program: Program): string {
  if (program.module === undefined) return OWN_VERSION
  return requiredVersion(readFileSync(join(folderOf(name), 'go.mod'), 'utf8'), program.module)
}

export function requiredVersion(goMod: string, module: string): string {
  for (const line of goMod.split('\n')) {
    const [first, second, third] = line.trim().split(/\s+/)
    if (first === module && second !== undefined) return second
    if (first === 'require' && second === module && third !== undefined) return third
  }
  throw new LabError(
    `${module} is not required by this go.mod; run "go get -tool" for it in lab/tools.`,
  )
}

export function linkerFlags(program: Program, version: string): string {
  return [
    '-s',
    '-w',
    ...(program.set ?? []).flatMap((one) => ['-X', one.replace('VERSION', version)]),
  ].join(' ')
}
