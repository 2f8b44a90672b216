import { execFileSync } from 'node:child_process'
import { appendFile, cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/** A copy of the application that may be changed, as a checkout on a runner. */
export type Workplace = {
  readonly folder: string
  /** Changes a source of these images, in a way that was never built before. */
  touch: (images: readonly string[]) => Promise<void>
  /** An empty folder, for what a run keeps on its machine. */
  empty: (name: string) => Promise<string>
  remove: () => Promise<void>
}

const PARTS = ['app', 'docker', 'docker-bake.hcl', 'k8s']

/** A source file of each image that is in the image itself, and how a line of no consequence is written in it. */
const SOURCES: Readonly<Record<string, (line: string) => readonly [string, string]>> = {
  frontend: (line) => [
    'app/frontend/src/components/api.ts',
    `\nObject.assign(globalThis, { bench: '${line}' })\n`,
  ],
  backend: (line) => ['app/backend/todo_backend/__init__.py', `\nBENCH = '${line}'\n`],
  'mcp-server': (line) => ['app/mcp-server/todo_mcp/__init__.py', `\nBENCH = '${line}'\n`],
  'ai-agent': (line) => ['app/ai-agent/todo_agent/__init__.py', `\nBENCH = '${line}'\n`],
  database: (line) => ['app/database/migrations/V002__conversations.sql', `\n-- ${line}\n`],
}

/** The five images of the stack. */
export const IMAGES: readonly string[] = Object.keys(SOURCES)

/** Copies what git knows of the application: nothing that only lies about on this machine is built. */
export async function openWorkplace(): Promise<Workplace> {
  const top = await mkdtemp(join(tmpdir(), 'todo-deploy-bench-'))
  const folder = join(top, 'checkout')
  const listed = execFileSync('git', ['ls-files', '-z', ...PARTS], { encoding: 'utf8' })
  for (const file of listed.split('\0').filter((one) => one !== '')) {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    await cp(resolve(file), join(folder, file))
  }
  let count = 0
  return {
    folder,
    touch: async (images) => {
      count += 1
      for (const image of images) {
        const [file, text] = SOURCES[image]?.(`${process.pid}-${Date.now()}-${count}`) ?? []
        if (file === undefined || text === undefined) throw new Error(`${image} has no source`)
        await appendFile(join(folder, file), text)
      }
    },
    empty: async (name) => {
      await rm(join(top, name), { recursive: true, force: true })
      await mkdir(join(top, name), { recursive: true })
      return join(top, name)
    },
    remove: () => rm(top, { recursive: true, force: true }),
  }
}
