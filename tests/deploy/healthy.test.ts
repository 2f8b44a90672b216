import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/render/manifest.ts'
import { metadataOf, podSpec, type Seed, service, shell } from './failures/objects.ts'
import { openStage, shellImage, type Stage } from './failures/stage.ts'

/** What looks broken for a while and comes right: no verdict may fall on it. With ALL=1 fifty deploys, else a few. */
const DEPLOYS = process.env['ALL'] === '1' ? 50 : 4

let stage: Stage
let seed: Seed
beforeAll(async () => {
  stage = await openStage('healthy')
  seed = { namespace: stage.namespace, image: await shellImage() }
})
afterAll(async () => {
  await stage.close()
})

const SERVE = 'touch /tmp/up; trap "exit 0" TERM; while :; do sleep 0.2; done'

/** A directory that outlives the container remembers that it has failed once. */
const memory = {
  volumeMounts: [{ name: 'memory', mountPath: '/memory' }],
}
const volumes = [{ name: 'memory', emptyDir: {} }]

const starts: readonly { readonly name: string; readonly script: (index: number) => string }[] = [
  { name: 'slow', script: (index) => `sleep ${3 + (index % 5) * 3}; ${SERVE}` },
  {
    name: 'crashing-once',
    script: () => `test -f /memory/tried || { touch /memory/tried; exit 1; }; ${SERVE}`,
  },
  // It ends until what it needs is there: the slow one, which starts at the same time.
  {
    name: 'waiting',
    script: (index) =>
      `echo x >>/memory/tries; test $(wc -l </memory/tries) -gt ${1 + (index % 2)} || exit 1; ${SERVE}`,
  },
]

function release(index: number): readonly KubeObject[] {
  return starts.flatMap(({ name, script }) => {
    const labels = { 'app.kubernetes.io/name': name }
    const container = { command: shell(`: ${index}; ${script(index)}`), ...memory }
    const spec = {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: podSpec(seed, container, { volumes }) },
    }
    const metadata = metadataOf(seed, name)
    return [service(seed, name), { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec }]
  })
}

describe('a healthy release that starts slowly, and crashes while it does', () => {
  it(`is never called broken, ${DEPLOYS} times`, async () => {
    const ends: string[] = []
    for (let index = 0; index < DEPLOYS; index += 1) {
      const result = await stage.deploy({ identity: `healthy-${index}`, objects: release(index) })
      ends.push(result.outcome)
      if (result.outcome !== 'deployed') process.stdout.write(`${result.message}\n`)
    }
    expect(ends).toEqual(Array.from({ length: DEPLOYS }, () => 'deployed'))
  }, 3_600_000)
})
