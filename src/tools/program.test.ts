import { describe, expect, it } from '@jest/globals'
import type { Program } from '../world.ts'
import { runProgram } from './program.ts'

const never = new AbortController().signal
const node = (script: string, more: Partial<Program> = {}): Program => ({
  argv: [process.execPath, '-e', script],
  timeoutSeconds: 30,
  ...more,
})
/** A wrapper that leaves the work to a program of its own, which holds the output open. */
const wrapper = ['sh', '-c', 'sleep 60 & wait'] as const

describe('a program', () => {
  it('gives its status and its output, and gets its input', async () => {
    const script = `process.stdin.pipe(process.stdout); console.error('warned'); process.exitCode = 3`
    expect(await runProgram(node(script, { input: 'given' }), never)).toEqual({
      status: 3,
      stdout: 'given\n',
      stderr: 'warned\n',
    })
  })

  it('takes arguments as they are, without a shell', async () => {
    const script = `console.log(process.argv[1])`
    const program = { ...node(script), argv: [process.execPath, '-e', script, '$(id); *'] } as const
    expect((await runProgram(program, never)).stdout).toBe('$(id); *\n')
  })

  it('sees nothing but the environment it is given', async () => {
    process.env['SECRET_OF_OURS'] = 'x'
    const script = `console.log(JSON.stringify(process.env.SECRET_OF_OURS ?? 'nothing'))`
    const given = await runProgram(node(script, { env: {} }), never)
    delete process.env['SECRET_OF_OURS']
    expect(given.stdout).toBe('"nothing"\n')
  })

  it('tells each line of its progress as it comes', async () => {
    const lines: string[] = []
    const script = `console.error('one'); console.error('two'); console.log('no progress')`
    await runProgram(node(script, { onLine: (line) => lines.push(line) }), never)
    expect(lines).toEqual(['one', 'two'])
  })

  // The promise settles only when the last program of the group has let go of the output.
  it('that takes too long is ended with everything it started', async () => {
    await expect(runProgram({ argv: wrapper, timeoutSeconds: 0.2 }, never)).rejects.toThrow(
      'sh did not end within 0.2 s and was stopped',
    )
  })

  it('is ended with everything it started where the user cancels', async () => {
    const controller = new AbortController()
    const running = runProgram({ argv: wrapper, timeoutSeconds: 30 }, controller.signal)
    controller.abort(new Error('cancelled by SIGINT'))
    await expect(running).rejects.toThrow('cancelled by SIGINT')
  })

  it('that is not installed is named', async () => {
    const missing = { argv: ['no-such-program'], timeoutSeconds: 1 } as const
    await expect(runProgram(missing, never)).rejects.toThrow('no-such-program was not found')
  })

  it('is not blamed where its folder is missing', async () => {
    await expect(runProgram(node('', { cwd: '/no/such/folder' }), never)).rejects.toThrow(
      'The folder /no/such/folder does not exist',
    )
  })
})
