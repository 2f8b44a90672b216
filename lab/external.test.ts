import { describe, expect, it } from '@jest/globals'
import { applicationSecrets, imageEntry } from './external.ts'

describe('the outside services', () => {
  it('are given images by digest, without their tag', () => {
    const digest = `sha256:${'a'.repeat(64)}`
    expect(imageEntry('database', `localhost:5001/todo/database:1.0@${digest}`)).toEqual({
      name: 'database',
      newName: 'localhost:5001/todo/database',
      digest,
    })
  })

  it('refuse an image that is named by tag only', () => {
    expect(() => imageEntry('database', 'localhost:5001/todo/database:1.0')).toThrow('by digest')
  })

  it('give production a database that is reached with TLS', () => {
    const made = applicationSecrets({
      productionDatabase: 'p',
      stagingDatabase: 's',
      stagingSigning: 'a',
      productionSigning: 'b',
      model: 'm',
    })
    const text = JSON.stringify(made.find(({ metadata }) => metadata.namespace === 'todo-app-prod'))
    expect(text).toContain('sslmode=require')
  })
})
