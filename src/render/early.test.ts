import { describe, expect, it } from '@jest/globals'
import { earlyOf, FIRST_DEPLOY } from './early.ts'
import type { KubeObject } from './manifest.ts'
import { orderProblems, splitWaves } from './waves.ts'

const EARLY = { [FIRST_DEPLOY]: 'early' }
type Annotations = Readonly<Record<string, string>>

function workload(kind: string, name: string, annotations: Annotations = {}): KubeObject {
  const template = { metadata: { labels: { app: name } } }
  const metadata = { name, namespace: 'todo', annotations }
  return { apiVersion: 'apps/v1', kind, metadata, spec: { template } }
}

function service(name: string, selects: string): KubeObject {
  const metadata = { name, namespace: 'todo' }
  return { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: { app: selects } } }
}

const database = workload('StatefulSet', 'database')
const migration = workload('Job', 'migration')

/** The names of what begins early, and of what it begins beside. */
function begins(objects: readonly KubeObject[]): {
  early: readonly string[]
  beside: readonly string[] | undefined
} {
  const names = (of: readonly KubeObject[]) => of.map(({ metadata }) => metadata.name)
  const { beside, objects: early } = earlyOf(splitWaves(objects))
  return { early: names(early), beside: beside && names(beside.objects) }
}

describe('what waits by itself for what it needs', () => {
  it('begins beside the database, and what leads to it', () => {
    const page = workload('Deployment', 'page', EARLY)
    const api = workload('Deployment', 'api')
    const own = workload('Job', 'migration', EARLY)
    const ways = [service('to-page', 'page'), service('to-api', 'api')]
    const all = [page, api, own, ...ways, database]
    expect(begins(all)).toEqual({ early: ['to-page', 'migration', 'page'], beside: ['database'] })
    expect(orderProblems(all)).toEqual([])
  })

  it('begins beside the migration where the database is elsewhere', () => {
    const page = workload('Deployment', 'page', EARLY)
    expect(begins([page, migration])).toEqual({ early: ['page'], beside: ['migration'] })
  })

  it('is waited for in its own turn', () => {
    const waves = splitWaves([workload('Deployment', 'page', EARLY), migration, database])
    expect(waves.map(({ objects }) => objects.map(({ kind }) => kind))).toEqual([
      ['StatefulSet'],
      ['Job'],
      ['Deployment'],
    ])
  })

  it('is nothing where nobody says so, or where there is nobody to wait for', () => {
    const page = workload('Deployment', 'page')
    expect(begins([page, service('to-page', 'page'), database]).early).toEqual([])
    expect(begins([workload('Deployment', 'page', EARLY)]).early).toEqual([])
  })
})

describe('a mark of what may begin early', () => {
  it('that nobody can follow is told', () => {
    const after = { ...EARLY, 'todo-deploy.dev/depends-on': 'Job/migration' }
    const problems = orderProblems([
      migration,
      workload('Deployment', 'page', { [FIRST_DEPLOY]: 'soon' }),
      workload('StatefulSet', 'database', EARLY),
      workload('Deployment', 'api', after),
      workload('Deployment', 'web', { [FIRST_DEPLOY]: '' }),
    ])
    expect(problems).toEqual([
      `Deployment todo/page: ${FIRST_DEPLOY} is "soon"; it may be early`,
      `StatefulSet todo/database: ${FIRST_DEPLOY} belongs on a Deployment, DaemonSet, Job`,
      `Deployment todo/api: ${FIRST_DEPLOY} lets it begin early, and it depends on Job todo/migration: take one away`,
      `Deployment todo/web: ${FIRST_DEPLOY} is ""; it may be early`,
    ])
  })
})
