import { describe, expect, it } from '@jest/globals'
import { UserError } from '../errors.ts'
import { findEnvironment, parseEnvironments, previewEnvironment } from './environments.ts'

const good = `
application: todo
environments:
  preview: { overlay: overlays/development, namespace: 'todo-pr-{name}', preview: true }
  production: { overlay: overlays/production, namespace: todo-prod, after: staging }
  staging: { overlay: overlays/staging, namespace: todo-staging, after: dev }
  dev: { overlay: overlays/development, namespace: todo-dev, components: [components/model] }
`

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
  dev: { overlay: x, namespace: todo-dev, strategy: rolling }
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
    expect(faults.join()).toContain('"strategy"')
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
