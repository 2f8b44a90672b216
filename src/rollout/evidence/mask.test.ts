import { describe, expect, it } from '@jest/globals'
import { maskerOf } from './mask.ts'

describe('a masker', () => {
  it.each([
    {
      name: 'every place',
      values: ['hunter22'],
      text: 'hunter22 and hunter22',
      masked: '*** and ***',
    },
    {
      name: 'the longer of two first',
      values: ['secret', 'secret-two'],
      text: 'secret-two',
      masked: '***',
    },
    {
      name: 'text that looks like a pattern',
      values: ['a.c$(b)*'],
      text: 'a.c$(b)* abc',
      masked: '*** abc',
    },
    {
      name: 'the password inside of a URL, however it is written',
      values: ['postgres://todo:p%2Fss%20word@db:5432/todo'],
      text: 'user todo, password p%2Fss%20word, which is p/ss word',
      masked: 'user todo, password ***, which is ***',
    },
    {
      name: 'what programs make of it',
      values: ['sign"ing key\n'],
      text: 'c2lnbiJpbmcga2V5 sign%22ing%20key sign\\"ing key sign"ing key',
      masked: '*** *** *** ***',
    },
    {
      name: 'it where it is a part of something encoded',
      values: ['p/ss+word'],
      text: `login=${Buffer.from('todo:p/ss+word').toString('base64')} at p/ss%2Bword%40db`,
      masked: 'login=*** at ***',
    },
    {
      name: 'the lines of a key',
      values: ['-----BEGIN-----\nMIIEvQIBADANBgkqhkiG\n-----END-----'],
      text: 'read MIIEvQIBADANBgkqhkiG',
      masked: 'read ***',
    },
    { name: 'no ordinary words', values: ['on', ''], text: 'on and on', masked: 'on and on' },
  ])('hides $name', ({ values, text, masked }) => {
    expect(maskerOf(values)(text)).toBe(masked)
  })
})
