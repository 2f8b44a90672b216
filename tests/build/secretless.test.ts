import { createHash } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Call, todoDeploy } from '../e2e/lab.ts'
import { testPrograms } from '../programs.ts'
import { type Distribution, startDistribution } from '../registry/distribution.ts'
import { buildArguments, type Product, writeProduct } from './product.ts'
import { allStatements, publishedIn } from './published.ts'

/** Values that nobody should find anywhere but where they were put. */
const PLANTED = {
  AWS_SECRET_ACCESS_KEY: 'planted-aws-swordfish',
  GITHUB_TOKEN: 'planted-github-swordfish',
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'planted-oidc-swordfish',
  DATABASE_URL: 'postgresql://todo:planted-database-swordfish@db/todo',
  SETTINGS: 'planted-argument-swordfish',
  BUILD_SECRET: 'planted-build-swordfish',
}
const SECRET_STEP =
  'FROM python:3.11-slim\nARG SETTINGS\nCOPY content /content\nRUN --mount=type=secret,id=build test -s /run/secrets/build\n'

let registry: Distribution
let product: Product
let call: Call
/** What each call of a scanner saw of its environment. */
let seen: readonly { readonly program: string; readonly environment: string }[]

/** Writes a program that notes its environment and then becomes the real one, and its entry for TODO_DEPLOY_TOOLS. */
async function standIn(name: 'syft' | 'grype', notes: string): Promise<unknown> {
  const path = join(product.folder, name)
  const real = await testPrograms.tool(name)
  const script = `#!/bin/sh\nenv > "${notes}/${name}.$$"\nexec "${real}" "$@"\n`
  await writeFile(path, script)
  await chmod(path, 0o755)
  return { version: 'v0', path, sha256: createHash('sha256').update(script).digest('hex') }
}

beforeAll(async () => {
  registry = await startDistribution('v3', 'open')
  const more = { secret: [{ type: 'env', id: 'build', env: 'BUILD_SECRET' }] }
  const args = { SETTINGS: PLANTED.SETTINGS }
  const remote = 'https://ann:planted-url-swordfish@127.0.0.1:9/x.git'
  product = await writeProduct({
    one: { dockerfile: SECRET_STEP, args, more: { ...more, contexts: { remote } } },
  })
  const notes = join(product.folder, 'notes')
  await mkdir(notes)
  const tools = join(product.folder, 'tools.json')
  const programs = {
    buildx: { path: await testPrograms.tool('buildx') },
    syft: await standIn('syft', notes),
    grype: await standIn('grype', notes),
  }
  const buildx = await readFile(programs.buildx.path)
  const sha256 = createHash('sha256').update(buildx).digest('hex')
  await writeFile(
    tools,
    JSON.stringify({ ...programs, buildx: { ...programs.buildx, version: 'v0', sha256 } }),
  )
  const env = { ...PLANTED, TODO_DEPLOY_TOOLS: tools }
  call = await todoDeploy(buildArguments(product, registry.registry), env)
  const names = await readdir(notes)
  seen = await Promise.all(
    names.map(async (program) => ({
      program,
      environment: await readFile(join(notes, program), 'utf8'),
    })),
  )
}, 240_000)

afterAll(async () => {
  await registry.stop()
  await product.remove()
})

describe('with secrets all around, build-images', () => {
  it('builds and publishes', async () => {
    expect({ status: call.status, line: call.firstLine }).toEqual({ status: 0, line: '' })
    expect((await publishedIn(registry)).releases).toHaveLength(1)
  })

  it('shows none of them to a scanner', () => {
    const calls = seen.map(({ program }) => program.replace(/\..*/, ''))
    expect(calls).toEqual(expect.arrayContaining(['syft', 'grype']))
    for (const { program, environment } of seen) {
      expect({ program, found: /^.*swordfish.*$/m.exec(environment)?.[0] }).toEqual({ program })
      const names = environment.split('\n').map((line) => line.replace(/=.*/, ''))
      expect(names.filter((name) => /TOKEN|SECRET|AWS|GITHUB|DOCKER|SIGNING/.test(name))).toEqual(
        [],
      )
    }
  })

  it('writes none into what it signs and publishes, its log and its report', async () => {
    const statements = await allStatements(registry)
    expect(statements).toContain('https://slsa.dev/provenance/v1')
    const image = /planted-argument-swordfish/ // BuildKit writes arguments into the history of an image.
    const found = [...statements.matchAll(/planted-[a-z]+-swordfish/g)].map(([text]) => text)
    expect(found.filter((text) => !image.test(text))).toEqual([])
    const signed = statements.split('\n').filter((text) => text.includes('in-toto.io/Statement'))
    expect(signed.length).toBeGreaterThanOrEqual(4)
    expect(signed.filter((text) => text.includes('swordfish'))).toEqual([])
    const told = call.stdout + call.stderr + JSON.stringify(call.report)
    expect(told).not.toContain('swordfish')
  })
})
