import { runAction } from '../../src/edge/github.ts'
import { previewCommand } from './command.ts'

await runAction(previewCommand)
