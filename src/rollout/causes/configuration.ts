import { textAt } from '../../json.ts'
import { uidOf } from '../readiness/live.ts'
import type { CauseCode } from './codes.ts'
import type { Finding, PodContext } from './context.ts'

/** The kubelet's own cache of Secrets and ConfigMaps may lag a moment behind a change: what is missing must stay missing. */
const LAG_MS = 3_000
/** An error of the runtime that is not about the command may be of the node, and passes. */
const RUNTIME_MS = 30_000
const NEVER_STARTS =
  /executable file not found|no such file or directory|permission denied|exec format error|is a directory|not a directory|invalid (argument|mount)|runAsNonRoot|run as root|non-numeric user|unable to find user|no users found/i

/** What a container lacks to be made: a Secret, a ConfigMap, a key in them, or a command that exists. */
export function configurationCause(status: unknown, context: PodContext): Finding | undefined {
  const reason = textAt(status, 'state', 'waiting', 'reason') ?? ''
  const message = textAt(status, 'state', 'waiting', 'message') ?? ''
  const { pod, sightings } = context
  const what = `${reason} ${uidOf(pod)}/${textAt(status, 'name') ?? ''}`
  if (reason === 'CreateContainerConfigError') {
    if (message.includes('failed to sync')) return undefined
    if (sightings.heldFor(what) < LAG_MS) return undefined
    return missingCause(message) ?? neverStarts(message)
  }
  if (reason !== 'CreateContainerError' && reason !== 'RunContainerError') return undefined
  const held = sightings.heldFor(what)
  // The state alternates with the back-off of a crash, which counts it as well.
  return NEVER_STARTS.test(message) || held >= RUNTIME_MS ? neverStarts(message) : undefined
}

function neverStarts(message: string): Finding {
  return {
    code: 'container-cannot-start',
    text: `its container can't be started: ${message}`,
    remedy: 'correct its command, its user or its mounts',
  }
}

/** What is missing, by the words of the kubelet. */
export function missingCause(message: string): Finding | undefined {
  const [, key, kind = '', object = ''] =
    /couldn't find key (\S+) in (Secret|ConfigMap) (\S+)/.exec(message) ?? []
  const place = object.replace(/^\S*\//, '')
  if (key !== undefined) return provide(kind, `${kind} ${place} has no key ${key}`, 'key')
  const [, lost = '', name] = /(secret|configmap) "([^"]+)" not found/i.exec(message) ?? []
  if (name !== undefined) {
    const full = lost.toLowerCase() === 'secret' ? 'Secret' : 'ConfigMap'
    return provide(full, `there is no ${full} ${name}`, 'object')
  }
  const [, reference] = /references non-existent (secret|config) key: (\S+)/.exec(message) ?? []
  if (reference === undefined) return undefined
  const ofSecret = message.includes('secret key')
  const whole = /references non-existent \w+ key: (\S+)/.exec(message)?.[1] ?? ''
  return provide(
    ofSecret ? 'Secret' : 'ConfigMap',
    `a volume names the key ${whole}, which is not there`,
    'key',
  )
}

function provide(kind: string, text: string, what: 'key' | 'object'): Finding {
  const stem = kind === 'Secret' ? 'secret' : 'config-map'
  const code = (what === 'key' ? `${stem}-key-missing` : `${stem}-missing`) as CauseCode
  return {
    code,
    text: `its configuration is incomplete: ${text}`,
    remedy:
      kind === 'Secret'
        ? 'provide it, see docs/secrets.md'
        : 'add it to the release, or correct the name',
  }
}
