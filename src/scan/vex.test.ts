import { describe, expect, it } from '@jest/globals'
import { aFinding } from '../../tests/fakes/findings.ts'
import { parseVex, speaksOf } from './vex.ts'

const finding = aFinding({ id: 'GHSA-1', aliases: ['CVE-1'], purl: 'pkg:npm/%40a/p@1.0.0?x=y' })

function document(statement: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ '@context': 'https://openvex.dev/ns/v0.2.0', statements: [statement] })
}

const statement = {
  vulnerability: { name: 'CVE-1' },
  products: [{ '@id': 'pkg:npm/%40a/p' }],
  status: 'not_affected',
  justification: 'vulnerable_code_not_in_execute_path',
}

describe('an OpenVEX document', () => {
  it.each([
    { name: 'a package in every version', products: [{ '@id': 'pkg:npm/%40a/p' }], speaks: true },
    {
      name: 'a package in this version',
      products: [{ '@id': 'pkg:npm/%40a/p@1.0.0' }],
      speaks: true,
    },
    { name: 'a package in another one', products: [{ '@id': 'pkg:npm/%40a/p@2' }], speaks: false },
    { name: 'the image', products: [{ '@id': 'pkg:oci/api@sha256%3Aab?x=y' }], speaks: true },
    { name: 'another image', products: [{ '@id': 'pkg:oci/web' }], speaks: false },
    {
      name: 'this package of the image',
      products: [{ '@id': 'pkg:oci/api', subcomponents: [{ '@id': 'pkg:npm/%40a/p@1.0.0' }] }],
      speaks: true,
    },
    {
      name: 'another package of the image',
      products: [{ '@id': 'pkg:oci/api', subcomponents: [{ '@id': 'pkg:npm/q@1.0.0' }] }],
      speaks: false,
    },
  ])('speaks about $name: $speaks', ({ products, speaks }) => {
    const [read] = parseVex(document({ ...statement, products }), 'a.json')
    expect(read !== undefined && speaksOf(read, finding, 'api')).toBe(speaks)
  })

  it('says nothing about other vulnerabilities', () => {
    const [read] = parseVex(document({ ...statement, vulnerability: { name: 'CVE-2' } }), 'a.json')
    expect(read !== undefined && speaksOf(read, finding, 'api')).toBe(false)
  })

  it('changes nothing where it says affected or under_investigation', () => {
    for (const status of ['affected', 'under_investigation'])
      expect(parseVex(document({ ...statement, status }), 'a.json')).toEqual([])
  })

  it.each([
    { name: 'another format', text: '{}', says: 'a.json is not an OpenVEX document' },
    {
      name: 'a claim without a reason',
      text: document({ ...statement, justification: undefined }),
      says: 'statement 1 needs',
    },
    {
      name: 'no products',
      text: document({ ...statement, products: [] }),
      says: 'statement 1 needs',
    },
  ])('is refused where it is $name', ({ text, says }) => {
    expect(() => parseVex(text, 'a.json')).toThrow(says)
  })
})
