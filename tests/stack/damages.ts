import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../../src/registry/client.ts'
import { edit } from './backupbench.ts'

/** What can happen to the files of a backup, and what a restore says of it in its first line. */
export const damages: readonly {
  name: string
  damage: (copy: string) => Promise<void>
  says: RegExp
}[] = [
  {
    name: 'a dump that is cut off',
    damage: async (copy: string): Promise<void> => {
      await truncate(join(copy, 'database.dump'), 20_000)
    },
    says: /is not complete: it has 20000 of \d+ bytes\. Take another backup\.$/,
  },
  {
    name: 'a dump in which one byte is another',
    damage: async (copy: string): Promise<void> => {
      const bytes = await readFile(join(copy, 'database.dump'))
      bytes[15_000] = (bytes[15_000] ?? 0) ^ 1
      await writeFile(join(copy, 'database.dump'), bytes)
    },
    says: /is damaged: its SHA-256 is not that of the manifest/,
  },
  {
    name: 'a dump that was cut off before its sum was taken',
    damage: async (copy: string): Promise<void> => {
      await truncate(join(copy, 'database.dump'), 20_000)
      const sum = sha256(await readFile(join(copy, 'database.dump'))).slice('sha256:'.length)
      await edit(join(copy, 'manifest'), (text) =>
        text.replace(/^bytes\t.*$/m, 'bytes\t20000').replace(/^sha256\t.*$/m, `sha256\t${sum}`),
      )
    },
    says: /^restore: the dump cannot be read to its end, nothing was changed: .*end of file/,
  },
  {
    name: 'a manifest that is cut off',
    damage: async (copy: string): Promise<void> => {
      await edit(join(copy, 'manifest'), (text) => text.slice(0, -20))
    },
    says: /^restore: the manifest of .* is not complete/,
  },
  {
    name: 'rows that are not those of the manifest',
    damage: async (copy: string): Promise<void> => {
      await edit(join(copy, 'manifest'), (text) =>
        text.replace(/^(table\tpublic\.tasks\t)\d+/m, '$19'),
      )
    },
    says: /^restore: what was restored is not what was backed up, nothing was changed:$/,
  },
  {
    name: 'a sequence that would give a number that is taken',
    damage: async (copy: string): Promise<void> => {
      await edit(join(copy, 'manifest'), (text) =>
        text.replace(/^(sequence\tpublic\.tasks_id_seq\t)\d+/m, '$199999'),
      )
    },
    says: /^restore: sequences would give numbers that are taken, nothing was changed: public\.tasks_id_seq$/,
  },
  {
    name: 'a backup of a newer server',
    damage: async (copy: string): Promise<void> => {
      await edit(join(copy, 'manifest'), (text) =>
        text.replace(/^(server|programs)\t15/gm, '$1\t99'),
      )
    },
    says: /^restore: the backup is of PostgreSQL 99\.\d+ and the server is 15\.\d+: restore into the same version or a newer one\.$/,
  },
]
