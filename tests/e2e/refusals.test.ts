import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { textAt } from '../../src/json.ts'
import { buildFlags, demoRelease, repositories, runningDigests, todoDeploy } from './lab.ts'

/** What people look at afterwards; it has to be there however the run ended. */
async function reportPage(): Promise<string> {
  return await readFile('out/build-images/report.html', 'utf8')
}

/** Broken on purpose: a clear first line, a status other than 0, and nothing changed. */
describe('build-images', () => {
  it('names the image, the place and the cause where an image does not build, and publishes nothing', async () => {
    const bake = 'tests/e2e/fixtures/broken/docker-bake.hcl'
    const call = await todoDeploy(['build-images', ...buildFlags, '--bake-file', bake])
    expect(call.status).toBe(2)
    expect(call.firstLine).toMatch(
      /^The image broken did not build at tests\/e2e\/fixtures\/broken\/Dockerfile:2: .*exit code: 42/,
    )
    expect(call.stderr).toContain('the compiler says no')
    expect(await reportPage()).toMatch(/<h1>The image broken did not build at .*:2: /)
    expect(await repositories()).not.toContain('todo/broken')
  })

  it('stops at a finding at the threshold, says what fixes it, and publishes nothing', async () => {
    const bake = 'tests/e2e/fixtures/vulnerable/docker-bake.hcl'
    const call = await todoDeploy(['build-images', ...buildFlags, '--bake-file', bake])
    expect(call.status).toBe(2)
    expect(call.firstLine).toMatch(
      /^The scan stopped the release: (a finding|\d+ findings) the policy does not allow in vulnerable; nothing was published/,
    )
    expect(call.stderr).toContain('GHSA-35jh-r3h4-6jhm in lodash 4.17.20 (fixed in 4.17.21)')
    // The line of the Dockerfile that brought it in, as the layers of the real image tell.
    const line = 'tests/e2e/fixtures/vulnerable/Dockerfile:2, COPY package.json'
    expect(call.stderr).toContain(`comes in by ${line}`)
    const page = await reportPage()
    expect(page).toMatch(/<h1>Nothing was published: .* in vulnerable stops? the release<\/h1>/)
    expect(page).toContain(line)
    expect(textAt(call.report, 'outcome')).toBe('stopped')
    expect(textAt(call.report, 'stopped', 0, 'package')).toBe('lodash')
    expect(await repositories()).not.toContain('todo/vulnerable')
  })

  it('passes the same image where the threshold is above the finding', async () => {
    const bake = 'tests/e2e/fixtures/vulnerable/docker-bake.hcl'
    const call = await todoDeploy([
      ...['build-images', ...buildFlags, '--bake-file', bake],
      ...['--severity-threshold', 'critical', '--push', 'false'],
    ])
    expect(call.status).toBe(0)
    expect(textAt(call.report, 'kind')).toBe('build-images')
  })

  it('finds out before it builds that the registry can not be reached', async () => {
    const call = await todoDeploy(['build-images', '--registry', '127.0.0.1:9/todo'])
    expect(call.status).toBe(2)
    expect(call.firstLine).toMatch(/^The registry 127.0.0.1:9 can't be reached; check/)
    expect(call.stderr).not.toContain('Build 6 images')
  })
})

describe('deploy', () => {
  it('refuses a kubeconfig that is not there', async () => {
    const call = await todoDeploy([
      ...['deploy', '--environment', 'dev', '--release', await demoRelease()],
      ...['--kubeconfig', '/nowhere/kubeconfig'],
    ])
    expect(call.status).toBe(2)
    expect(call.firstLine).toMatch(/^The kubeconfig \/nowhere\/kubeconfig can't be used/)
  })

  it('refuses a context that the kubeconfig does not have, and lists those it has', async () => {
    const call = await todoDeploy([
      ...['deploy', '--environment', 'dev', '--release', await demoRelease()],
      ...['--context', 'elsewhere'],
    ])
    expect(call.status).toBe(2)
    expect(call.firstLine).toMatch(/has no context "elsewhere"; it has kind-todo-deploy/)
  })

  it('says which address a kubeconfig leads to where nobody answers', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'kubeconfig-')), 'config')
    await writeFile(
      file,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'dead',
        clusters: [{ name: 'dead', cluster: { server: 'https://127.0.0.1:9' } }],
        users: [{ name: 'nobody', user: {} }],
        contexts: [{ name: 'dead', context: { cluster: 'dead', user: 'nobody' } }],
      }),
    )
    const release = await demoRelease()
    const call = await todoDeploy([
      ...['deploy', '--environment', 'dev', '--release', release, '--kubeconfig', file],
    ])
    expect(call.status).toBe(2)
    expect(call.firstLine).toMatch(/^The cluster dead at https:\/\/127.0.0.1:9 can't be reached/)
  })

  it('refuses an environment that does not exist, and lists those there are', async () => {
    const release = await demoRelease()
    const call = await todoDeploy(['deploy', '--environment', 'qa', '--release', release])
    expect(call.status).toBe(2)
    expect(call.firstLine).toBe(
      'There is no environment "qa"; environments.yaml has dev, staging, production, preview',
    )
  })

  it('refuses a release by tag', async () => {
    const call = await todoDeploy([
      'deploy',
      '--environment',
      'dev',
      '--release',
      'localhost:5001/todo/release:latest',
    ])
    expect(call.status).toBe(2)
    expect(call.firstLine).toMatch(/has no digest: name it as repository@sha256/)
  })
})

describe('promote', () => {
  it('refuses a way that environments.yaml does not have', async () => {
    const before = await runningDigests('todo-app-prod')
    const call = await todoDeploy(['promote', '--from', 'dev', '--to', 'production'])
    expect(call.status).toBe(2)
    expect(call.firstLine).toBe('production comes after staging, not after dev')
    expect(await runningDigests('todo-app-prod')).toEqual(before)
  })
})
