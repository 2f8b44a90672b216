import { readFile } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'
import { Ajv } from 'ajv'
import { type Run, startAction } from './runner.ts'
import { treePath } from './tree.ts'

const LIMIT_MS = 60_000

const cases = [
  {
    action: 'build-images',
    inputs: { push: 'yes', 'severity-threshold': 'awful' },
    outcome: {},
    problems: [
      'registry is missing',
      'push is "yes"; it may be true or false',
      'severity-threshold is "awful"; it may be critical, high, medium, low, negligible, unknown, none',
    ],
  },
  {
    action: 'deploy',
    inputs: { timeout: 'soon', 'on-failure': 'hope' },
    outcome: { outcome: 'refused', cause: '' },
    problems: [
      'environment is missing',
      'timeout is "soon"; it may be 1s to 6h, such as 300s or 5m',
      'on-failure is "hope"; it may be rollback, keep',
    ],
  },
  {
    action: 'verify',
    inputs: { profile: 'everything', timeout: '0s' },
    outcome: { verdict: 'refused' },
    problems: [
      'environment is missing',
      'profile is "everything"; it may be smoke',
      'timeout is "0s"; it may be 1s to 6h, such as 300s or 5m',
    ],
  },
  {
    action: 'promote',
    inputs: { mode: 'teleport', timeout: '9h' },
    outcome: { outcome: 'refused' },
    problems: [
      'mode is "teleport"; it may be plan, apply, rollback, status',
      'timeout is "9h"; it may be 1s to 6h, such as 300s or 5m',
    ],
  },
  {
    action: 'preview',
    inputs: { command: 'sideways', timeout: '-1s' },
    outcome: { outcome: 'refused' },
    problems: [
      'command is "sideways"; it may be up, down, reap',
      'timeout is "-1s"; it may be 1s to 6h, such as 300s or 5m',
    ],
  },
]

describe.each(cases)(
  'the released $action, given wrong inputs',
  ({ action, inputs, outcome, problems }) => {
    let started: Promise<Run> | undefined
    const run = () => (started ??= startAction(action, inputs))

    it(
      'refuses, with every wrong input in its report',
      async () => {
        const { status, report } = await run()
        expect(status).toBe(2)
        expect(JSON.parse(report)).toEqual({
          kind: `${action}-refusal`,
          version: 1,
          outcome: 'refused',
          message: `${problems.length} inputs are wrong`,
          cause: null,
          details: problems,
        })
      },
      LIMIT_MS,
    )

    it('writes a report that its published schema accepts', async () => {
      const schema = await readFile(treePath('schemas/refusal.v1.schema.json'), 'utf8')
      const ajv = new Ajv({ allErrors: true })
      ajv.validate(JSON.parse(schema) as object, JSON.parse((await run()).report))
      expect(ajv.errors).toBeNull()
    })

    it('sets its outputs, annotates the run and explains itself in the summary', async () => {
      const { outputs, log, summary } = await run()
      expect(outputs).toEqual({ ...outcome, report: expect.stringMatching(/report\.json$/) })
      expect(log).toContain(`::error::${problems.length} inputs are wrong`)
      for (const problem of problems) expect(log).toContain(problem)
      expect(summary).toContain(`${action}: refused`)
    })
  },
)
