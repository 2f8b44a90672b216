import { runAction } from '../../src/edge/github.ts'
import { deployCommand } from './command.ts'

await runAction(deployCommand)
