import { readFileSync } from 'node:fs'
import { attempt, run, succeeds } from './command.ts'

/** Unmounts everything below the folders, the innermost first. */
export async function unmountBelow(folders: readonly string[]): Promise<void> {
  for (const target of mountsBelow(readFileSync('/proc/self/mountinfo', 'utf8'), folders)) {
    if (!(await succeeds(['umount', target]))) await run(['umount', '--lazy', target])
  }
}

/** The mount points at or below the folders, innermost first. */
export function mountsBelow(mountInfo: string, folders: readonly string[]): string[] {
  return mountInfo
    .split('\n')
    .map((line) => unescape(line.split(' ')[4] ?? ''))
    .filter((target) =>
      folders.some((folder) => target === folder || target.startsWith(`${folder}/`)),
    )
    .sort((a, b) => b.length - a.length)
}

// The kernel writes blanks, tabs, line ends and backslashes as three octal digits.
function unescape(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  )
}

export async function removeBridges(names: readonly string[]): Promise<void> {
  for (const name of names) await attempt(['ip', 'link', 'delete', name, 'type', 'bridge'])
}
