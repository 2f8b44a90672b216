import { buildImagesCommand } from '../../actions/build-images/command.ts'
import { deployCommand } from '../../actions/deploy/command.ts'
import { previewCommand } from '../../actions/preview/command.ts'
import { promoteCommand } from '../../actions/promote/command.ts'
import { verifyCommand } from '../../actions/verify/command.ts'
import { runCli } from './cli.ts'

export const commands = [
  buildImagesCommand,
  deployCommand,
  verifyCommand,
  promoteCommand,
  previewCommand,
]

process.exitCode = await runCli(process.argv.slice(2), commands)
