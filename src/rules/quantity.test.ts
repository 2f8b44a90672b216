import { describe, expect, it } from '@jest/globals'
import { parseQuantity } from './quantity.ts'

describe('a quantity', () => {
  it.each([
    { text: '100m', value: 0.1 },
    { text: '2', value: 2 },
    { text: '.5', value: 0.5 },
    { text: '128Mi', value: 134_217_728 },
    { text: '1Gi', value: 1_073_741_824 },
    { text: '1G', value: 1e9 },
    { text: '1k', value: 1000 },
    { text: '12e6', value: 12e6 },
    { text: '129e-3', value: 0.129 },
  ])('$text is $value', ({ text, value }) => {
    expect(parseQuantity(text)).toBeCloseTo(value, 6)
  })

  it('may be a number, as YAML reads "1"', () => {
    expect(parseQuantity(1)).toBe(1)
  })

  it.each(['', 'much', '1 Gi', '-1', '1Xi', '1K'])('is not "%s"', (text) => {
    expect(parseQuantity(text)).toBeUndefined()
  })
})
