import { describe, expect, it } from '@jest/globals'
import { readCookie } from './cookie.ts'

describe('a cookie that scripts may read', () => {
  it.each([
    { name: 'alone', cookies: 'todo_email=ada%40example.org', value: 'ada@example.org' },
    { name: 'among others', cookies: 'x=1; todo_email=ada; y=2', value: 'ada' },
    { name: 'empty', cookies: 'todo_email=', value: undefined },
    { name: 'under another name', cookies: 'not_todo_email=ada', value: undefined },
  ])('$name', ({ cookies, value }) => {
    expect(readCookie(cookies, 'todo_email')).toBe(value)
  })
})
