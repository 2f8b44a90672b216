import { describe, expect, it } from '@jest/globals'
import { UserError } from '../errors.ts'
import { type InputSpecs, parseInputs } from './inputs.ts'

const specs = {
  environment: { type: 'text', required: true },
  mode: { type: 'choice', allowed: ['apply', 'plan'], default: 'apply' },
  prune: { type: 'flag', default: 'true' },
  timeout: { type: 'seconds', default: '300s' },
  targets: { type: 'list', default: '' },
} as const satisfies InputSpecs

function parse(given: Readonly<Record<string, string>>): unknown {
  return parseInputs(specs, (name) => given[name])
}

describe('inputs', () => {
  it('take their defaults where they are absent or blank', () => {
    expect(parse({ environment: ' dev ', mode: '  ' })).toEqual({
      environment: 'dev',
      mode: 'apply',
      prune: true,
      timeout: 300,
      targets: [],
    })
  })

  it.each([
    { name: 'commas', text: 'a,b,c' },
    { name: 'lines, as YAML has them', text: 'a\nb\n\nc\n' },
    { name: 'both', text: ' a, b\n,c ' },
  ])('take a list with $name', ({ text }) => {
    expect(parse({ environment: 'dev', targets: text })).toMatchObject({ targets: ['a', 'b', 'c'] })
  })

  it.each([
    { text: '90', seconds: 90 },
    { text: '45s', seconds: 45 },
    { text: '5m', seconds: 300 },
    { text: '6h', seconds: 21600 },
  ])('take $text as $seconds seconds', ({ text, seconds }) => {
    expect(parse({ environment: 'dev', timeout: text })).toMatchObject({ timeout: seconds })
  })

  it.each(['0', '7h', '-5s', '5 m', '1.5h', 'soon'])('refuse "%s" as a time', (timeout) => {
    expect(() => parse({ environment: 'dev', timeout })).toThrow('it may be 1s to 6h')
  })

  it('report every wrong one at once: its name, its value and what is allowed', () => {
    let problems: readonly string[] = []
    try {
      parse({ mode: 'aply', prune: 'yes', timeout: 'soon' })
    } catch (error) {
      problems = error instanceof UserError ? error.details : []
    }
    expect(problems).toEqual([
      'environment is missing',
      'mode is "aply"; it may be apply, plan',
      'prune is "yes"; it may be true or false',
      'timeout is "soon"; it may be 1s to 6h, such as 300s or 5m',
    ])
  })

  it('put a single fault into the first line', () => {
    expect(() => parse({})).toThrow('Wrong input: environment is missing')
  })
})
