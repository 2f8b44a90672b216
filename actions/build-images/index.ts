import { runAction } from '../../src/edge/github.ts'
import { buildImagesCommand } from './command.ts'

await runAction(buildImagesCommand)
