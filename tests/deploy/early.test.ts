import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { at, listAt, textAt } from '../../src/json.ts'
import { FIRST_DEPLOY } from '../../src/render/early.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { job, openPlace, type Place, sleeper } from './place.ts'
import { nodeImage } from './shop.ts'

let place: Place
let image: string
beforeAll(async () => {
  image = await nodeImage()
  place = await openPlace('todo-p-early')
})
afterAll(async () => {
  await place.close()
})

const folder = (group: string, plural: string) => `${group}/namespaces/${place.namespace}/${plural}`

describe('what waits by itself for what it needs', () => {
  const EARLY = { [FIRST_DEPLOY]: 'early' }
  const early = (version: string): KubeObject => {
    const made = sleeper('early', image, { env: { VERSION: version } })
    return { ...made, metadata: { ...made.metadata, annotations: EARLY } }
  }
  const paths = () => [folder('/apis/batch/v1', 'jobs'), folder('/apis/apps/v1', 'deployments')]
  const slow = (line: string) => job('slow', { image, line })
  /** Whether it is there, and was made before the Job had ended. */
  const seen = async () => {
    const [jobs, deployments] = await Promise.all(paths().map((path) => place.get(path)))
    const one = listAt(deployments, 'items').find(
      (item) => textAt(item, 'metadata', 'name') === 'early',
    )
    const [ended] = listAt(jobs, 'items').map((item) => textAt(item, 'status', 'completionTime'))
    const made = textAt(one, 'metadata', 'creationTimestamp') ?? ''
    return { isThere: one !== undefined, wasBeside: made < (ended ?? 'never') }
  }

  it('is removed where the first deploy fails beside it', async () => {
    const failed = await place.deploy('e-1', [slow('sleep 5; exit 3'), early('1')])
    expect(failed.outcome).toBe('rolled-back')
    expect(place.said.join('\n')).toContain(`deleted Deployment ${place.namespace}/early`)
    expect((await seen()).isThere).toBe(false)
  })

  it('begins beside the first Job, and is ready in the end', async () => {
    const { outcome, message } = await place.deploy('e-2', [slow('sleep 5'), early('1')])
    expect(`${outcome}: ${message}`).toMatch(/^deployed/)
    expect(await seen()).toEqual({ isThere: true, wasBeside: true })
  })

  it('waits its turn in the next release: a migration that fails leaves it as it was', async () => {
    const { outcome } = await place.deploy('e-3', [slow('sleep 5; exit 4'), early('2')])
    expect(outcome).toBe('rolled-back')
    const live = await place.get(`${folder('/apis/apps/v1', 'deployments')}/early`)
    expect(at(live, 'metadata', 'generation')).toBe(1)
  })
})
