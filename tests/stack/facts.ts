import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isObject, parseJson } from '../../src/json.ts'

/** The tables of `npm run test:stack`, in the order in which they are printed. */
export const sections = [
  'images',
  'environments',
  'secrets',
  'restore',
  'database',
  'behaviour',
  'platform',
] as const

export type Section = (typeof sections)[number]
export type Fact = Readonly<Record<string, string | number>>

const FOLDER = join('out', 'stack', 'facts')

/**
 * Keeps figures that a test has measured, for the table at the end of the run. Facts of the same name are joined, so that several tests
 * may fill the columns of one row.
 */
export function recordFact(section: Section, name: string, fact: Fact): void {
  const path = join(FOLDER, section, `${name}.json`)
  mkdirSync(join(FOLDER, section), { recursive: true })
  writeFileSync(path, JSON.stringify({ ...readFact(path), ...fact }))
}

/** Name and figures of every fact of a section, sorted by name. */
export function readFacts(section: Section): readonly (readonly [string, Fact])[] {
  const folder = join(FOLDER, section)
  mkdirSync(folder, { recursive: true })
  return readdirSync(folder)
    .toSorted()
    .map((file) => [file.replace(/\.json$/, ''), readFact(join(folder, file))])
}

export function forgetFacts(): void {
  rmSync(FOLDER, { recursive: true, force: true })
}

function readFact(path: string): Fact {
  try {
    const value = parseJson(readFileSync(path, 'utf8'), path)
    return isObject(value) ? (value as Fact) : {}
  } catch {
    // The first fact of that name.
    return {}
  }
}
