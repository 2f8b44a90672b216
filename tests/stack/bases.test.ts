import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { at, textAt } from '../../src/json.ts'
import { openRepository } from '../../src/registry/client.ts'
import { type Call, lab, todoDeploy } from '../e2e/lab.ts'

/** Two states of a base image under one tag: the older one has a package with known vulnerabilities, the newer one has it mended. */
const repository = `bases-${process.pid}`
const PLACE = '/usr/local/lib/python3.11/site-packages'
const package_ = (version: string) =>
  `FROM python:3.11-slim
RUN mkdir -p ${PLACE}/PyYAML-${version}.dist-info && printf 'Metadata-Version: 2.1\\nName: PyYAML\\nVersion: ${version}\\n' > ${PLACE}/PyYAML-${version}.dist-info/METADATA
`

let folder: string
let base: string
let older: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'todo-deploy-bases-'))
  base = `${lab.registry}/${repository}/base`
  older = await publishBase('5.1')
  await publishBase('6.0.2')
})
afterAll(() => rm(folder, { recursive: true }))

/** Builds a state of the base, and lets the tag `1` lead to it. */
async function publishBase(version: string): Promise<string> {
  await writeBake(package_(version), 'base')
  const { status, report, stderr } = await build('base')
  if (status !== 0) throw new Error(stderr)
  const digest = textAt(report, 'images', 'base', 'digest') ?? ''
  const images = openRepository(
    { registry: lab.registry, repository: `${repository}/base` },
    AbortSignal.timeout(60_000),
  )
  const manifest = await images.getManifest(digest)
  if (manifest === undefined) throw new Error(`${base}@${digest} was not published`)
  await images.putManifest('1', manifest)
  return digest
}

async function writeBake(dockerfile: string, target: string): Promise<void> {
  await writeFile(join(folder, 'Dockerfile'), dockerfile)
  await writeFile(join(folder, 'bake.hcl'), `target "${target}" { context = "${folder}" }\n`)
}

async function build(target: string): Promise<Call> {
  return await todoDeploy([
    ...['build-images', '--registry', `${lab.registry}/${repository}`, '--targets', target],
    ...['--bake-file', join(folder, 'bake.hcl'), '--manifests', resolve('k8s'), '--cache', 'none'],
    ...['--builder', lab.builder, '--vulnerability-db', lab.vulnerabilityDatabase],
    ...['--severity-threshold', 'none'],
  ])
}

const baseOf = (call: Call) => at(call.report, 'bases', 'api', 0)

describe('an image on a base that is pinned', () => {
  it('is told what the tag leads to now, and how many of its findings that would fix', async () => {
    await writeBake(`FROM ${base}:1@${older}\nRUN touch /own\n`, 'api')
    const call = await build('api')
    expect(call.status).toBe(0)
    expect(baseOf(call)).toMatchObject({
      name: `${base}:1@${older}`,
      reference: `${base}@${older}`,
      newer: { reference: expect.stringMatching(/@sha256:/), fixes: 1 },
      doubt: '',
    })
  })

  it('has nothing to gain where it took another package out of the base', async () => {
    await writeBake(`FROM ${base}:1@${older}\nRUN rm -r ${PLACE}/PyYAML-5.1.dist-info\n`, 'api')
    expect(at(baseOf(await build('api')), 'newer', 'fixes')).toBe(0)
  })

  it('has no newer base where it names the tag alone', async () => {
    await writeBake(`FROM ${base}:1\nRUN touch /own\n`, 'api')
    expect(baseOf(await build('api'))).toMatchObject({ newer: null, doubt: '' })
  })
})
