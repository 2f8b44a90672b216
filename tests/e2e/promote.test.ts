import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { listAt, textAt } from '../../src/json.ts'
import { buildFlags, demoRelease, todoDeploy } from './lab.ts'

/** A second release of the same images: its manifest tree has one more file, so its digest is its own. */
let [first, second, folder] = ['', '', '']

beforeAll(async () => {
  first = await demoRelease()
  folder = await mkdtemp(join(tmpdir(), 'manifests-'))
  const manifests = join(folder, 'k8s')
  await cp('k8s', manifests, { recursive: true })
  await writeFile(join(manifests, 'NOTE'), `${new Date().toISOString()}\n`)
  const built = await todoDeploy(['build-images', ...buildFlags, '--manifests', manifests])
  second = textAt(built.report, 'release') ?? ''
  await todoDeploy(['deploy', '--environment', 'dev', '--release', second])
})

afterAll(async () => {
  await todoDeploy(['deploy', '--environment', 'dev', '--release', first])
  await rm(folder, { recursive: true })
})

async function releaseIn(environment: string): Promise<string> {
  const { report } = await todoDeploy(['promote', '--mode', 'status'])
  const found = listAt(report, 'environments').find(
    (entry) => textAt(entry, 'name') === environment,
  )
  return textAt(found, 'release') ?? ''
}

const toStaging = ['promote', '--from', 'dev', '--to', 'staging']

describe('a newer release', () => {
  it('is held back where only a part of the checks was asked for', async () => {
    await todoDeploy(['verify', '--environment', 'dev', '--checks', 'http'])
    const call = await todoDeploy([...toStaging, '--release', second])
    expect(call.status).toBe(2)
    expect(await releaseIn('staging')).toBe(first)
  })

  it('goes to the next environment when it passed, with a record of what was there before', async () => {
    await todoDeploy(['verify', '--environment', 'dev'])
    const call = await todoDeploy([...toStaging, '--reason', 'a newer one'])
    expect(call.status).toBe(0)
    expect(call.report).toMatchObject({
      kind: 'promotion',
      release: second,
      before: first,
      reason: 'a newer one',
      outcome: 'deployed',
    })
    expect(textAt(call.report, 'record')).toMatch(/^sha256:/)
    expect(await releaseIn('staging')).toBe(second)
  })

  it('is taken back to what was there before, for a reason', async () => {
    const silent = await todoDeploy([...toStaging, '--mode', 'rollback'])
    expect(silent.status).toBe(2)
    const call = await todoDeploy([...toStaging, '--mode', 'rollback', '--reason', 'a test'])
    expect(call.status).toBe(0)
    expect(await releaseIn('staging')).toBe(first)
  })
})

describe('deploy without a release', () => {
  it('takes a manifest folder and a lock file', async () => {
    const lock = 'out/build-images/images.lock.json'
    const call = await todoDeploy([
      ...['deploy', '--environment', 'dev', '--path', 'k8s', '--images', lock, '--mode', 'plan'],
    ])
    expect(call.report).toMatchObject({ outcome: 'planned', changes: [] })
  })
})

describe('verify in kind', () => {
  it('deploys the release to the kind cluster and speaks of kind, which opens no gate', async () => {
    const call = await todoDeploy([
      ...['verify', '--target', 'kind', '--environment', 'dev', '--release', second],
    ])
    expect(call.status).toBe(0)
    expect(call.report).toMatchObject({ environment: 'kind', verdict: 'pass' })
  })
})
