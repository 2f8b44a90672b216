import { readFileSync } from 'node:fs'
import { expect, it } from '@jest/globals'

it('the way to a database is the same file for migrations and backups, which run without each other', () => {
  const read = (folder: string) => readFileSync(`${folder}/connection.sh`, 'utf8')
  expect(read('scripts/postgres/there')).toBe(read('app/database/migrate'))
})
