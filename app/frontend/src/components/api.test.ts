import { describe, expect, it } from '@jest/globals'
import { describeRefusal } from './api.ts'

describe('the words of a refusal', () => {
  it.each([
    { name: 'a sentence', content: { detail: 'Sign in.' }, words: 'Sign in.' },
    {
      name: 'a field that does not fit',
      content: { detail: [{ loc: ['body', 'email'], msg: 'Value error, is not an e-mail' }] },
      words: 'email: is not an e-mail',
    },
    { name: 'nothing known', content: undefined, words: 'Something went wrong; try again.' },
    { name: 'an empty list', content: { detail: [] }, words: 'Something went wrong; try again.' },
  ])('$name', ({ content, words }) => {
    expect(describeRefusal(content)).toBe(words)
  })
})
