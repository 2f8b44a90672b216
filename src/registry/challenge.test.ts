import { describe, expect, it } from '@jest/globals'
import { parseChallenges } from './challenge.ts'

const bearer = (parameters: Readonly<Record<string, string>>) => ({ scheme: 'bearer', parameters })
const basic = (realm: string) => ({ scheme: 'basic', parameters: { realm } })

describe('challenges', () => {
  it.each([
    {
      name: 'a scheme in any case',
      headers: ['BEARER Realm="https://auth.example/token",service="r"'],
      read: [bearer({ realm: 'https://auth.example/token', service: 'r' })],
    },
    {
      name: 'commas and colons in a quoted value',
      headers: ['Bearer realm="https://a",scope="repository:a/b:pull,push"'],
      read: [bearer({ realm: 'https://a', scope: 'repository:a/b:pull,push' })],
    },
    {
      name: 'a quote within a quoted value',
      headers: ['Basic realm="the \\"best\\" registry"'],
      read: [basic('the "best" registry')],
    },
    {
      name: 'values without quotes and with blanks around',
      headers: ['Bearer realm = https://a , service = r'],
      read: [bearer({ realm: 'https://a', service: 'r' })],
    },
    {
      name: 'several in one header',
      headers: ['Basic realm="r", Bearer realm="https://a",service="s", Negotiate'],
      read: [
        basic('r'),
        bearer({ realm: 'https://a', service: 's' }),
        { scheme: 'negotiate', parameters: {} },
      ],
    },
    {
      name: 'several headers',
      headers: ['Bearer realm="https://a"', 'Basic realm="r"'],
      read: [bearer({ realm: 'https://a' }), basic('r')],
    },
    { name: 'none', headers: [], read: [] },
    { name: 'an empty header', headers: [' , '], read: [] },
    { name: 'what is before the first scheme', headers: ['realm="r"'], read: [] },
    { name: 'no more behind what is none', headers: ['Basic realm="r" {'], read: [basic('r')] },
  ])('are read where there is $name', ({ headers, read }) => {
    expect(parseChallenges(headers)).toEqual(read)
  })
})
