import { runAction } from '../../src/edge/github.ts'
import { promoteCommand } from './command.ts'

await runAction(promoteCommand)
