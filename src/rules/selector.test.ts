import { describe, expect, it } from '@jest/globals'
import { isEmptySelector, takes } from './selector.ts'

const expression = (operator: string, ...values: string[]) => ({
  matchExpressions: [{ key: 'app', operator, values }],
})

describe('a selector', () => {
  it.each([
    { name: 'nothing takes all', selector: {}, isTaken: true },
    { name: 'equal labels', selector: { matchLabels: { app: 'web' } }, isTaken: true },
    { name: 'one label that differs', selector: { matchLabels: { app: 'web', tier: 'x' } } },
    { name: 'a value of a list', selector: expression('In', 'api', 'web'), isTaken: true },
    { name: 'no value of a list', selector: expression('In', 'api') },
    { name: 'a value that is excluded', selector: expression('NotIn', 'web') },
    { name: 'a label that is there', selector: expression('Exists'), isTaken: true },
    { name: 'a label that must not be there', selector: expression('DoesNotExist') },
    { name: 'an operator that nobody knows', selector: expression('Like', 'web') },
  ])('$name', ({ selector, isTaken = false }) => {
    expect(takes(selector, { app: 'web' })).toBe(isTaken)
  })

  it('that is missing is not an empty one', () => {
    expect(isEmptySelector({})).toBe(true)
    expect(isEmptySelector(undefined)).toBe(false)
    expect(isEmptySelector(expression('Exists'))).toBe(false)
  })
})
