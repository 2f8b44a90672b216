import { readFile } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'
import { Ajv } from 'ajv'
import { parseYaml } from '../../src/yaml.ts'
import { reportBuild, reportRefusal } from '../../actions/build-images/report.ts'
import { reportDeploy } from '../../actions/deploy/report.ts'
import { reportRemoval } from '../../actions/preview/report.ts'
import { reportPromotion, reportStatus } from '../../actions/promote/report.ts'
import { reportVerdict } from '../../actions/verify/report.ts'
import { resultOfError } from '../../src/edge/report.ts'
import { UserError } from '../../src/errors.ts'
import type { DeployResult } from '../../src/rollout/outcome.ts'
import { RolloutFailed } from '../../src/rollout/readiness/wait.ts'
import { aBuild, aRun } from '../fakes/build.ts'
import { aPromotion } from '../fakes/promotion.ts'

const digest = `sha256:${'a'.repeat(64)}`
const release = `registry.example/todo/release@${digest}`
const at = '2026-11-21T12:00:00.000Z'

const { deploy: deployed, environment } = aPromotion()

const returned: DeployResult = {
  ...deployed,
  outcome: 'rolled-back',
  message: 'backend crashes',
  failure: new RolloutFailed(
    'backend crashes',
    { code: 'crash-loop', text: 'backend crashes', remedy: 'mend it', pod: 'backend-1' },
    [{ object: 'Deployment backend', logs: ['boom'], events: ['BackOff: again'] }],
  ),
}

const past = { at: new Date(at), seconds: 1.5, steps: [] }
const where = { environment, ...past }

const verdict = reportVerdict(
  {
    version: 1,
    release,
    environment: 'dev',
    namespace: 'todo-dev',
    profile: 'smoke',
    complete: true,
    verdict: 'pass',
    checks: [{ check: 'http', name: 'backend', status: 'pass', detail: '200', seconds: 0.1 }],
    at,
    seconds: 2,
  },
  [],
)

const running = {
  name: 'dev',
  namespace: 'todo-dev',
  url: '',
  release,
  since: at,
  verdict: 'pass',
  underway: '',
}
const empty = {
  ...running,
  name: 'staging',
  release: '',
  since: '',
  verdict: '',
  underway: release,
}

const up = reportDeploy(deployed, where)

const cases = [
  { name: 'a build', schema: 'build-images', result: reportBuild(aBuild(), aRun()) },
  {
    name: 'a build that the scan stopped',
    schema: 'build-images',
    result: reportBuild(aBuild({ stops: 3 }), aRun()),
  },
  {
    name: 'a build that failed',
    schema: 'refusal',
    result: reportRefusal(new UserError('no', ['because']), aRun()),
  },
  { name: 'a good deploy', schema: 'deploy', result: reportDeploy(deployed, where) },
  { name: 'a failed deploy', schema: 'deploy', result: reportDeploy(returned, where) },
  { name: 'a verdict', schema: 'verdict', result: verdict },
  { name: 'a promotion', schema: 'promotion', result: reportPromotion(aPromotion(), past) },
  { name: 'a status', schema: 'status', result: reportStatus([running, empty]) },
  { name: 'a removed preview', schema: 'preview', result: reportRemoval(['todo-pr-1'], 'down') },
  {
    name: 'a preview that is up',
    schema: 'preview',
    result: { ...up, report: { ...up.report, kind: 'preview', expires: at } },
  },
  {
    name: 'a refusal',
    schema: 'refusal',
    result: resultOfError(new UserError('no', ['because']), 'deploy'),
  },
]

async function readSchema(name: string): Promise<object> {
  return JSON.parse(await readFile(`schemas/${name}.schema.json`, 'utf8')) as object
}

describe('the published schemas', () => {
  it.each(cases)('accept the report of $name', async ({ schema, result }) => {
    const ajv = new Ajv({ allErrors: true })
    const report: unknown = JSON.parse(JSON.stringify(result.report))
    ajv.validate(await readSchema(`${schema}.v1`), report)
    expect(ajv.errors).toBeNull()
  })

  it.each(cases)('refuse the report of $name without its version', async ({ schema, result }) => {
    const { version: _version, ...rest } = result.report
    expect(new Ajv().validate(await readSchema(`${schema}.v1`), rest)).toBe(false)
  })

  it('accept the environments of the reference stack', async () => {
    const ajv = new Ajv({ allErrors: true })
    const file: unknown = parseYaml(await readFile('k8s/environments.yaml', 'utf8'))
    ajv.validate(await readSchema('environments'), file)
    expect(ajv.errors).toBeNull()
  })
})
