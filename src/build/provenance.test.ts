import { describe, expect, it } from '@jest/globals'
import { provenanceOf } from './provenance.ts'

const digest = `sha256:${'a'.repeat(64)}`
const run = {
  builder: 'https://github.com/acme/todo/.github/workflows/cd.yml@refs/heads/main',
  run: 'cd-1',
  source: 'https://ann:swordfish@github.com/acme/todo',
  revision: 'b'.repeat(40),
  started: new Date(0),
  finished: new Date(1),
}
const sboms = [{ platform: '', sha256: digest }]
const image = { subject: { name: 'r/api', digest }, target: 'api', bakeFile: 'docker-bake.hcl' }

describe('provenance', () => {
  it('names bases and commit by digest, and the SBOM that was made', () => {
    const inputs = { 'base python:3.11-slim': digest, 'file a.py': digest }
    const { predicate } = provenanceOf(image, { key: { digest, inputs }, sboms }, run)
    expect(predicate).toMatchObject({
      buildDefinition: {
        internalParameters: { inputKey: digest },
        resolvedDependencies: [
          { uri: 'pkg:docker/python@3.11-slim', digest: { sha256: 'a'.repeat(64) } },
          { uri: 'git+https://***@github.com/acme/todo', digest: { gitCommit: 'b'.repeat(40) } },
        ],
      },
      runDetails: { byproducts: [{ name: 'sbom.syft.json' }] },
    })
  })

  it('holds no login of an address, wherever it came from', () => {
    const doubts = ['its context https://ghp_swordfish@github.com/x.git is not a folder here']
    const statement = provenanceOf(image, { key: { doubts }, sboms }, run)
    expect(JSON.stringify(statement)).toContain('https://***@github.com/x.git')
    expect(JSON.stringify(statement)).not.toContain('swordfish')
  })
})
