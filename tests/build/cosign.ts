import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { build, download, findBuilt, toolPath } from '../../lab/gotools.ts'

const VERIFY_MS = 60_000

/** The path of cosign, compiled where it is not yet. */
export async function ensureCosign(say: (line: string) => void): Promise<string> {
  if ((await findBuilt(['signing'])).length === 0) {
    say('compiling cosign (some five minutes, once)')
    await download('signing')
  }
  await build('signing')
  return toolPath('cosign')
}

/** Does what a person does with a command that is printed: types it into a shell, in the folder with the key. */
export async function typeCommand(
  command: string,
  folder: string,
): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> {
  const cosign = process.env['COSIGN'] ?? ''
  // Nothing of ours but the way to cosign: no login, and no network that it would ask for roots of trust.
  const env = { PATH: `${dirname(cosign)}:${process.env['PATH'] ?? ''}`, HOME: folder }
  const options = { cwd: folder, env, timeout: VERIFY_MS, maxBuffer: 256 * 1024 * 1024 }
  return await new Promise((resolve) => {
    execFile('sh', ['-c', command], options, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code ?? -1), stdout, stderr })
    })
  })
}
