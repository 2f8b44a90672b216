import type { DeployReport } from '../../actions/deploy/deployreport.ts'
import type { PodTimes, Timeline } from '../../src/rollout/timeline.ts'

const ZERO = Date.parse('2026-11-21T12:00:00Z')
const time = (second: number) => new Date(ZERO + second * 1000).toISOString()
const digest = (digit: string) => `sha256:${digit.repeat(64)}`
const image = (name: string, digit: string) => `registry.example/todo/${name}@${digest(digit)}`

const old: PodTimes = {
  ...{ pod: 'web-1a-x', workload: 'web', isNew: false },
  ...{ created: time(-910), scheduled: time(-909), pull: null, init: null, started: time(-905) },
  ...{ ready: time(-900), restarts: 0, leaving: time(6), gone: time(8) },
}

const fresh: PodTimes = {
  ...{ pod: 'web-2b-y', workload: 'web', isNew: true },
  ...{ created: time(1), scheduled: time(2), pull: { from: time(2), to: time(4) }, init: null },
  ...{ started: time(5), ready: time(6), restarts: 0, leaving: null, gone: null },
}

/** Ten seconds, from the first write to the end: so each second is ten percent of a chart. */
const story: Timeline = {
  ...{ began: time(-2), ended: time(10), pods: [old, fresh], comparisons: [] },
  shifts: [
    { at: time(5), service: 'web', what: 'both', side: 'both' },
    { at: time(6), service: 'web', what: 'web-2b', side: 'new' },
  ],
  legs: [
    {
      ...{ isWayBack: false, from: time(0), to: time(10) },
      waves: [
        { name: 'services', from: time(0), to: time(1), isDone: true },
        { name: 'workloads', from: time(1), to: time(7), isDone: true },
      ],
      workloads: [
        {
          ...{ state: 'ready', name: 'Deployment todo/web', short: 'Deployment/web' },
          ...{ detail: '2 of 2 pods available', doing: 'ready', isWorkload: true },
          pods: { desired: 2, updated: 2, ready: 2, available: 2 },
        },
      ],
    },
  ],
}

/** The report of a deploy that went well, but for what is given. */
export function aDeploy(given: Partial<DeployReport> = {}): DeployReport {
  return {
    ...{ kind: 'deploy', version: 1, outcome: 'deployed', cause: null, commit: null },
    release: image('release', '4'),
    before: image('release', '3'),
    planHash: digest('5'),
    ...{ environment: 'dev', namespace: 'todo', url: 'http://127.0.0.1:30080' },
    ...{ message: 'it is ready', failure: null, strategy: 'rolling', timeline: story },
    images: [
      {
        workload: 'Deployment web',
        container: 'web',
        before: image('web', '1'),
        after: image('web', '2'),
      },
      {
        workload: 'Deployment api',
        container: 'api',
        before: image('api', '6'),
        after: image('api', '6'),
      },
    ],
    changes: [
      { object: 'Service todo/new', action: 'create', taken: [], fields: [], values: [] },
      {
        ...{ object: 'Secret todo/key', action: 'update', taken: [], fields: ['.data.KEY'] },
        values: [{ path: '.data.KEY', before: '***', after: '***' }],
      },
    ],
    warnings: ['Deployment web: one pod each'],
    evidence: [],
    steps: [{ title: 'Roll out workloads', start: 2, seconds: 6, state: 'done' }],
    ...{ at: time(10), seconds: 12 },
    ...given,
  }
}
