import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { composeConfig } from '../../lab/compose.ts'
import { signIn } from '../../lab/demo/person.ts'
import { lab, REGISTRY } from '../e2e/lab.ts'
import { docker, environment } from './docker.ts'
import { build } from './imagebuild.ts'

const PROJECT = 'todo-stack-compose'
const UP_MS = 240_000
const images = ['frontend', 'backend', 'mcp-server', 'ai-agent', 'database', 'local-model']
const PORTS = ['DATABASE_PORT', 'MCP_PORT', 'AI_AGENT_PORT', 'BACKEND_PORT', 'FRONTEND_PORT']
const chosen: Record<string, string> = {}

/** `docker compose` as a person types it, with free ports and names of our own for project and images. */
async function compose(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    'docker',
    ['compose', '--project-name', PROJECT, ...args],
    {
      env: { ...environment, DOCKER_CONFIG: composeConfig, BUILDX_BUILDER: lab.builder, ...chosen },
      timeout: UP_MS,
    },
  )
  return stdout
}

beforeAll(async () => {
  await compose('down', '--volumes').catch(() => undefined)
  const digests = await build(images, { publish: true })
  for (const name of images) {
    const reference = `${REGISTRY}/${name}@${digests.get(name) ?? ''}`
    await docker('pull', '--quiet', reference)
    await docker('tag', reference, `todo/${name}`)
  }
  for (const name of PORTS) chosen[name] = String(await freePort())
}, 600_000)

afterAll(async () => {
  await compose('down', '--volumes')
}, 120_000)

test(
  'docker compose up runs the same images: a person signs up and adds a task by chat, then all is gone',
  async () => {
    await compose('up', '--wait', '--no-build')
    const person = await signIn(`http://127.0.0.1:${chosen['FRONTEND_PORT'] ?? ''}`, {
      email: `${crypto.randomUUID()}@example.org`,
      password: 'made-up-for-compose',
    })
    await person.say('add buy bread')
    expect((await person.tasks()).map((title) => title.toLowerCase())).toContain('buy bread')
    await compose('down', '--volumes')
    const label = `label=com.docker.compose.project=${PROJECT}`
    for (const kind of ['container', 'network', 'volume'])
      expect(await docker(kind, 'ls', '--quiet', '--filter', label)).toBe('')
  },
  UP_MS,
)

async function freePort(): Promise<number> {
  const server = createServer()
  return await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => {
        resolve(port)
      })
    })
  })
}
