import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { answer, fakeCluster } from '../../../tests/fakes/cluster.ts'
import { fakeWorld } from '../../../tests/fakes/world.ts'
import { emptyPicture, type Picture } from '../../cluster/watch.ts'
import { type FailureScene, saveEvidence } from './evidencefiles.ts'
import { maskerOf } from './mask.ts'

const PASSWORD = 'correct-horse-battery'
const object = {
  ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'db', namespace: 'todo' } },
  spec: { replicas: 2 },
}
const cause = {
  ...({ code: 'crash-loop', pod: 'db-0', container: 'main' } as const),
  ...{ text: `it says ${PASSWORD}`, remedy: 'mend it' },
}
const picture: Picture = {
  ...emptyPicture,
  StatefulSet: [
    {
      metadata: { name: 'db', namespace: 'todo', uid: 'db', managedFields: ['of no use'] },
      status: { updateRevision: 'new' },
    },
  ],
  Pod: [
    {
      metadata: {
        ...{ name: 'db-0', namespace: 'todo', uid: 'pod', ownerReferences: [{ uid: 'db' }] },
        labels: { 'controller-revision-hash': 'new' },
      },
      spec: { nodeName: 'one', containers: [{ name: 'main', env: [{ value: PASSWORD }] }] },
    },
  ],
  Event: [
    {
      ...{ type: 'Warning', reason: 'BackOff', message: 'again', count: 3 },
      ...{ lastTimestamp: '2026-11-21T12:00:00Z' },
      involvedObject: { kind: 'Pod', name: 'db-0', uid: 'pod' },
    },
  ],
}

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evidence-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

async function save(more: Partial<FailureScene> = {}): Promise<readonly string[]> {
  const cluster = fakeCluster()
  cluster.intercept = ({ path }) => {
    if (path === '/api/v1/nodes/one') {
      const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'ok' }]
      return answer(200, { status: { conditions } })
    }
    return path.includes('previous=true') ? answer(200, `last words ${PASSWORD}\n`) : undefined
  }
  const waiting = { namespace: 'todo', evidenceFolder: folder, before: [{ ...object, spec: {} }] }
  const mask = maskerOf([PASSWORD])
  return await saveEvidence(
    { object, cause, picture, mask, waiting, ...more },
    cluster,
    fakeWorld(),
  )
}

function read(name: string): Promise<string> {
  return readFile(join(folder, 'statefulset-db', name), 'utf8')
}

describe('the files of evidence', () => {
  it('hold state, logs of both runs, events, nodes and what is different, each by its name', async () => {
    expect((await save()).toSorted()).toEqual(
      [
        ...['cause.txt', 'difference.txt', 'events.txt', 'log-db-0-main.previous.txt'],
        ...['log-db-0-main.txt', 'nodes.txt', 'object.yaml', 'pod-db-0.yaml'],
      ].map((name) => `statefulset-db/${name}`),
    )
    expect(await read('cause.txt')).toContain('code: crash-loop')
    expect(await read('difference.txt')).toBe('.spec.replicas\n  - (nothing)\n  + 2\n')
    expect(await read('events.txt')).toContain('Warning  Pod db-0  BackOff (3)  again')
    expect(await read('nodes.txt')).toContain('Ready: True (KubeletReady) ok')
    expect(await read('object.yaml')).not.toContain('managedFields')
  })

  it('hold no value of a Secret anywhere', async () => {
    for (const name of await save())
      expect(await readFile(join(folder, name), 'utf8')).not.toContain(PASSWORD)
    expect(await read('log-db-0-main.previous.txt')).toBe('last words ***\n')
  })

  it('are none where Secrets can not be read to mask them', async () => {
    expect(await save({ mask: { reason: 'secrets is forbidden' } })).toEqual([])
    expect(await readdir(folder)).toEqual([])
  })
})
