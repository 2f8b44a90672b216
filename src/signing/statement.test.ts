import { describe, expect, it } from '@jest/globals'
import { formatStatement, parseStatement, WrittenPredicate } from './statement.ts'

const digest = `sha256:${'a'.repeat(64)}`
const about = { subjects: [{ name: 'r/api', digest }], predicateType: 'https://a.example/v1' }

describe('a statement', () => {
  it('is read as it was written', () => {
    const statement = { ...about, predicate: { packages: ['a', { b: '"}' }] } }
    expect(parseStatement(formatStatement(statement), 'it')).toEqual(statement)
  })

  it('takes JSON that is written already, to the letter', () => {
    const predicate = { packages: ['a', { b: '"}' }] }
    const written = { ...about, predicate: new WrittenPredicate(JSON.stringify(predicate)) }
    expect(formatStatement(written)).toBe(formatStatement({ ...about, predicate }))
  })
})
