import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { at, listAt, textAt } from '../../src/json.ts'
import { parseReference } from '../../src/registry/reference.ts'
import { formatImageSet, type ImageSet } from '../../src/release/imageset.ts'
import { pullRelease } from '../../src/release/release.ts'
import { demoRelease, todoDeploy } from '../e2e/lab.ts'
import { openPlace, type Place } from './place.ts'

let place: Place
let folder = ''
let images: ImageSet
let flags: readonly string[] = []
beforeAll(async () => {
  const release = await pullRelease(await demoRelease(), AbortSignal.timeout(60_000))
  images = release.images
  folder = await mkdtemp(join(tmpdir(), 'own-chart-'))
  const lock = join(folder, 'images.lock.json')
  await writeFile(lock, formatImageSet(images))
  place = await openPlace('todo-p-chart')
  flags = [
    ...['deploy', '--environment', 'dev', '--path', 'k8s', '--images', lock],
    ...['--chart', 'helm/todo-app', '--values', 'helm/todo-app/values-development.yaml'],
    ...['--namespace', place.namespace, '--timeout', '200s'],
  ]
})
afterAll(async () => {
  await place.close()
  await rm(folder, { recursive: true })
})

/** Digests of the images that run, by container. */
async function running(): Promise<Readonly<Record<string, string>>> {
  const pods = listAt(await place.get(`/api/v1/namespaces/${place.namespace}/pods`), 'items')
  const containers = pods
    .filter((pod) => textAt(pod, 'status', 'phase') === 'Running')
    .flatMap((pod) => listAt(pod, 'spec', 'containers'))
  return Object.fromEntries(
    containers.map((one) => [
      textAt(one, 'name') ?? '',
      parseReference(textAt(one, 'image') ?? '').digest ?? '',
    ]),
  )
}

describe('our own chart, by todo-deploy', () => {
  it('brings all services up, by the digests of the lock file, after its migration', async () => {
    const call = await todoDeploy(flags)
    expect(call.stderr.split('\n').slice(-30).join('\n') + String(call.status)).toMatch(/0$/)
    expect(textAt(call.report, 'outcome')).toBe('deployed')
    const now = await running()
    for (const name of ['frontend', 'backend', 'mcp-server', 'ai-agent'])
      expect([name, now[name]]).toEqual([name, images.images[name]?.digest])
    const jobs = await place.get(`/apis/batch/v1/namespaces/${place.namespace}/jobs`)
    expect(at(jobs, 'items', 0, 'status', 'succeeded')).toBe(1)
  })

  it('is unchanged the next time, and its plan is empty', async () => {
    expect(textAt((await todoDeploy([...flags, '--mode', 'plan'])).report, 'message')).toBe(
      '0 objects would change',
    )
    const call = await todoDeploy(flags)
    expect(textAt(call.report, 'outcome')).toBe('unchanged')
  })
})
