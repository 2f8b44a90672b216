import { spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { isObject, listAt, textAt } from '../../src/json.ts'
import { lab } from '../e2e/lab.ts'

/** A text that a run has left somewhere, and where. */
export type Trace = { readonly place: string; readonly text: string }

const NODE = `${lab.context.replace(/^kind-/, '')}-control-plane`
/** The arguments of every process of the node, thus of all pods, again and again until nobody listens any more. */
const LOOK = String.raw`
while cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0\n' '  '; echo; do
  read -r -t 0.3; (($? > 128)) || exit 0
done`
const OWN_LOOK_MS = 100

/** Which of the values are found where, plain or encoded: `name in place`. */
export function findIn(
  traces: readonly Trace[],
  values: Readonly<Record<string, string>>,
): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const forms = formsOf(value)
    return traces
      .filter(({ text }) => forms.some((form) => text.includes(form)))
      .map(({ place }) => `${name} in ${place}`)
  })
}

/** Plain, in a URL, in JSON, and in base64 wherever it begins in what was encoded. */
function formsOf(value: string): readonly string[] {
  const bytes = Buffer.from(value)
  const inBase64 = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    const isWhole = (before + bytes.length) % 3 === 0
    return text.slice(Math.ceil((before * 8) / 6)).slice(0, isWhole ? undefined : -4)
  })
  return [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1), ...inBase64]
}

/** Everything that a namespace holds, events and logs included, except the data of Secrets, which is where values belong. */
export async function tracesOfNamespace(
  namespace: string,
  api: Cluster,
): Promise<readonly Trace[]> {
  const get = async (path: string) => await api.call({ method: 'GET', path })
  const groups = listAt((await get('/apis')).body, 'groups')
  const versions = groups.map(
    (group) => `/apis/${textAt(group, 'preferredVersion', 'groupVersion') ?? ''}`,
  )
  const traces: Trace[] = []
  for (const version of ['/api/v1', ...versions]) {
    const kinds = listAt((await get(version)).body, 'resources').filter(
      (kind) =>
        isObject(kind) && kind['namespaced'] === true && listAt(kind, 'verbs').includes('list'),
    )
    for (const kind of kinds) {
      const plural = textAt(kind, 'name') ?? ''
      const { body } = await get(`${version}/namespaces/${namespace}/${plural}`)
      for (const item of listAt(body, 'items')) {
        const name = textAt(item, 'metadata', 'name') ?? ''
        traces.push({ place: `${plural}/${name}`, text: JSON.stringify(withoutData(item, plural)) })
        if (plural === 'pods') traces.push(...(await logsOf(item, namespace, api)))
      }
    }
  }
  return traces
}

function withoutData(item: unknown, plural: string): unknown {
  if (plural !== 'secrets' || !isObject(item)) return item
  const { data: _data, ...rest } = item
  return rest
}

async function logsOf(pod: unknown, namespace: string, api: Cluster): Promise<readonly Trace[]> {
  const name = textAt(pod, 'metadata', 'name') ?? ''
  const containers = ['initContainers', 'containers'].flatMap((key) => listAt(pod, 'spec', key))
  return await Promise.all(
    containers.map(async (container) => {
      const own = textAt(container, 'name') ?? ''
      const path = `/api/v1/namespaces/${namespace}/pods/${name}/log?container=${own}`
      return {
        place: `log of ${name}/${own}`,
        text: (await api.call({ method: 'GET', path })).text,
      }
    }),
  )
}

/** Every file below a folder. */
export async function tracesOfFolder(folder: string): Promise<readonly Trace[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async ({ parentPath, name }) => {
        const place = join(parentPath, name)
        return { place, text: await readFile(place, 'utf8') }
      }),
  )
}

/** Looks at the arguments of all processes, of this machine and of the node, until it is stopped; then tells all that it saw. */
export function watchArguments(): { readonly stop: () => readonly Trace[] } {
  const seen = new Set<string>()
  const env = { ...process.env, ...lab.environment, DOCKER_HOST: lab.dockerHost }
  const argv = ['exec', '--interactive', NODE, 'bash', '-c', LOOK]
  const node = spawn('docker', argv, { env, stdio: ['pipe', 'pipe', 'ignore'] })
  createInterface({ input: node.stdout }).on('line', (line) => seen.add(line))
  const timer = setInterval(() => {
    readOwn().then(
      (lines) => {
        for (const line of lines) seen.add(line)
      },
      () => {
        clearInterval(timer) // A machine without /proc: the node's processes are looked at all the same.
      },
    )
  }, OWN_LOOK_MS)
  return {
    stop: () => {
      clearInterval(timer)
      node.stdin.end()
      return [{ place: 'arguments of processes', text: [...seen].join('\n') }]
    },
  }
}

async function readOwn(): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  return await Promise.all(
    pids.map((pid) =>
      // It may have ended by now.
      readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
    ),
  )
}
