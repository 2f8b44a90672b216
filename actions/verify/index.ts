import { runAction } from '../../src/edge/github.ts'
import { verifyCommand } from './command.ts'

await runAction(verifyCommand)
