import { performance } from 'node:perf_hooks'
import { buildImagesCommand } from '../../actions/build-images/command.ts'
import { deployCommand } from '../../actions/deploy/command.ts'
import { promoteCommand } from '../../actions/promote/command.ts'
import { verifyCommand } from '../../actions/verify/command.ts'
import { type Caller, type Command, type CommandResult, STATUS } from '../../src/edge/command.ts'
import { type InputSpecs, parseInputs } from '../../src/edge/inputs.ts'
import { UserError } from '../../src/errors.ts'
import type { World } from '../../src/world.ts'

const COMMANDS = {
  'build-images': buildImagesCommand,
  deploy: deployCommand,
  verify: verifyCommand,
  promote: promoteCommand,
} as const

/** Runs the product's own commands, as the actions and the CLI do, and keeps the time of each. */
export type Stage = {
  run: (
    step: string,
    command: keyof typeof COMMANDS,
    inputs: Readonly<Record<string, string>>,
  ) => Promise<CommandResult>
  time: <T>(step: string, work: () => Promise<T>) => Promise<T>
  readonly seconds: Readonly<Record<string, number>>
}

export function openStage(world: World, caller: Caller): Stage {
  const seconds: Record<string, number> = {}
  const time = async <T>(step: string, work: () => Promise<T>): Promise<T> => {
    const started = performance.now()
    try {
      return await work()
    } finally {
      seconds[step] = Math.round(performance.now() - started) / 1000
    }
  }
  return {
    seconds,
    time,
    run: (step, name, inputs) =>
      time(step, async () => {
        world.progress.say(`── ${step}`)
        const result = await execute<InputSpecs>(COMMANDS[name], inputs, { world, caller })
        world.progress.say(result.headline)
        if (result.status !== STATUS.good)
          throw new UserError(result.headline, result.details ?? [])
        return result
      }),
  }
}

async function execute<S extends InputSpecs>(
  command: Command<S>,
  given: Readonly<Record<string, string>>,
  how: { readonly world: World; readonly caller: Caller },
): Promise<CommandResult> {
  const inputs = parseInputs(command.inputs, (name) => given[name])
  return await command.run(inputs, how.world, how.caller)
}
