import { describe, expect, it } from '@jest/globals'
import { Ajv } from 'ajv'
import { UserError } from '../errors.ts'
import { findEnvironment, parseEnvironments, previewEnvironment } from './environments.ts'
import { schema } from './schema.ts'
import { overrideStrategy, readStrategy } from './strategy.ts'

const good = `
application: todo
environments:
  preview: { overlay: overlays/development, namespace: 'todo-pr-{name}', preview: true }
  production: { overlay: overlays/production, namespace: todo-prod, after: staging }
  staging: { overlay: overlays/staging, namespace: todo-staging, after: dev }
  dev: { overlay: overlays/development, namespace: todo-dev, components: [components/model] }
`

describe('the schema', () => {
  it('is one that ajv takes as it is', () => {
    expect(() => new Ajv({ allErrors: true }).compile(schema)).not.toThrow()
  })
})

function faultsOf(text: string): readonly string[] {
  try {
    parseEnvironments(text)
  } catch (error) {
    if (error instanceof UserError)
      return error.details.length > 0 ? error.details : [error.message]
    throw error
  }
  return []
}

describe('environments.yaml', () => {
  it('gives the order of promotion whatever the order in the file, previews last', () => {
    const names = parseEnvironments(good).list.map(({ name }) => name)
    expect(names).toEqual(['dev', 'staging', 'production', 'preview'])
  })

  it('reports every fault of its form at once, with its path', () => {
    const faults = faultsOf(`
application: Todo App
environments:
  dev: { overlay: x, namespace: todo-dev, colour: blue }
  staging: { overlay: x }
verify:
  http: [{ name: web, service: web, port: 70000, path: health }]
`)
    expect(faults.map((fault) => fault.split(' ')[0])).toEqual(
      expect.arrayContaining([
        '/application',
        '/environments/dev',
        '/environments/staging',
        '/verify/http/0/port',
        '/verify/http/0/path',
      ]),
    )
    expect(faults).toHaveLength(5)
    expect(faults.join()).toContain('"colour"')
  })

  it('reports every fault of its sense at once', () => {
    const faults = faultsOf(`
application: todo
environments:
  dev: { overlay: x, namespace: 'todo-{name}' }
  staging: { overlay: x, namespace: todo-staging, after: development }
  production: { overlay: x, namespace: todo-prod, after: production }
  preview: { overlay: x, namespace: todo-preview, preview: true }
`)
    expect(faults.map((fault) => fault.split(':')[0])).toEqual([
      'dev',
      'staging',
      'production',
      'preview',
    ])
  })

  it('is refused where its order goes in a circle', () => {
    const text = `
application: todo
environments:
  a: { overlay: x, namespace: a, after: b }
  b: { overlay: x, namespace: b, after: a }
`
    expect(faultsOf(text)).toEqual([expect.stringContaining('goes in a circle')])
  })

  it.each([
    { name: 'broken YAML', text: 'application: [', says: 'is not valid YAML' },
    { name: 'an empty file', text: '', says: 'must be object' },
  ])('is refused where it is $name', ({ text, says }) => {
    expect(() => parseEnvironments(text)).toThrow(says)
  })

  it('names those there are where one is asked for that is not', () => {
    expect(() => findEnvironment(parseEnvironments(good), 'qa')).toThrow(
      'There is no environment "qa"; environments.yaml has dev, staging, production, preview',
    )
  })
})

describe('the strategy of an environment', () => {
  const withStrategy = (text: string) =>
    `application: todo\nenvironments: { dev: { overlay: x, namespace: todo, strategy: ${text} } }`
  const read = (text: string) => parseEnvironments(withStrategy(text)).list[0]?.strategy

  it('is rolling where nothing is said', () => {
    expect(parseEnvironments(good).list[0]?.strategy).toEqual({ type: 'rolling' })
  })

  it('has what is said, and defaults for the rest', () => {
    expect(read('blue-green')).toEqual({ type: 'blue-green', bakeSeconds: 60 })
    expect(read('{ type: canary, steps: [5, 20], pause: 2m, analysis: { samples: 9 } }')).toEqual({
      ...{ type: 'canary', bakeSeconds: 60, steps: [5, 20], pauseSeconds: 120, tolerance: 10 },
      analysis: {
        ...{ path: '', samples: 9, maxErrorIncrease: 1, maxLatencyRatio: 1.5 },
        prometheus: undefined,
      },
    })
  })

  it.each([
    { text: 'green-blue', says: 'must be equal to one of the allowed values' },
    { text: '{ type: canary, steps: [50, 10] }', says: 'have to rise (50, 10)' },
    { text: '{ type: canary, steps: [100] }', says: 'must be < 100' },
    { text: '{ type: canary, pause: 10 }', says: 'must be string' },
    { text: '{ type: blue-green, steps: [10] }', says: 'blue-green has no "steps"' },
    { text: '{ type: rolling, bake-time: 5m }', says: 'rolling has no "bake-time"' },
    { text: '{ type: blue-green, colour: red }', says: '"colour"' },
  ])('is refused as $text', ({ text, says }) => {
    expect(faultsOf(withStrategy(text)).join()).toContain(says)
  })

  it.each([
    { type: '', bakeTime: '', is: { type: 'blue-green', bakeSeconds: 300 } },
    { type: 'rolling', bakeTime: '', is: { type: 'rolling' } },
    { type: '', bakeTime: '90s', is: { type: 'blue-green', bakeSeconds: 90 } },
    { type: 'canary', bakeTime: '', is: { type: 'canary', bakeSeconds: 300, steps: [10, 50] } },
  ])('gives way to what a run asks for: "$type" "$bakeTime"', ({ type, bakeTime, is }) => {
    const declared = readStrategy({ type: 'blue-green', 'bake-time': '5m' })
    expect(overrideStrategy(declared, { type, bakeTime })).toMatchObject(is)
  })

  it.each([
    { bakeTime: '5', type: 'canary', says: 'bake-time is "5"' },
    { bakeTime: '5m', type: 'rolling', says: 'the strategy is rolling, which has none' },
  ])('refuses bake-time $bakeTime with $type', ({ bakeTime, type, says }) => {
    expect(() => overrideStrategy(readStrategy(), { type, bakeTime })).toThrow(says)
  })
})

describe('a preview environment', () => {
  it('has the namespace of its name and the overlay of its pattern', () => {
    const preview = previewEnvironment(parseEnvironments(good), 'pr-42')
    expect(preview).toMatchObject({ namespace: 'todo-pr-pr-42', overlay: 'overlays/development' })
  })

  it('needs a pattern', () => {
    const none = good.replace(/ {2}preview: .*\n/, '')
    expect(() => previewEnvironment(parseEnvironments(none), 'pr-42')).toThrow('"preview: true"')
  })
})
