import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Evidence } from '../../src/rollout/evidence/evidence.ts'

/** A file of the evidence, for the page. */
export type EvidenceText = { readonly name: string; readonly text: string }

/** A page with more is slow to open; the files have all of it. */
const LONGEST = 40_000
const MOST = 600_000

/** What was written about a failure, Secrets masked already. What can't be read any more is left out. */
export async function readEvidenceTexts(
  folder: string | undefined,
  evidence: readonly Evidence[],
): Promise<readonly EvidenceText[]> {
  if (folder === undefined || folder === '') return []
  const texts: EvidenceText[] = []
  let room = MOST
  for (const name of evidence.flatMap(({ files = [] }) => files)) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => '')
    const shown =
      text.length <= LONGEST ? text : `… the beginning is in the file …\n${text.slice(-LONGEST)}`
    room -= shown.length
    if (room < 0) break
    if (shown.trim() !== '') texts.push({ name, text: shown.trimEnd() })
  }
  return texts
}
