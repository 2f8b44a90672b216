import { textAt } from '../../json.ts'
import { eventsAbout, timesOf, uidOf } from '../readiness/live.ts'
import type { Finding, PodContext } from './context.ts'

/** The kubelet tries again after 10, 20, 40 seconds: a registry that fails three times in a row or for so long is not there. */
const HICCUP_ATTEMPTS = 3
const HICCUP_MS = 60_000
/** Where events can't be read: after this the kubelet has tried a second time. */
const SECOND_TRY_MS = 13_000

const NOT_FOUND = /not found|manifest unknown|name unknown|does not exist|repository .* not known/i
const DENIED = /denied|unauthorized|authentication required|no basic auth|forbidden/i
/** Words of a network that failed may quote "not found" of a name server. */
const NETWORK =
  /no such host|i\/o timeout|timed? ?out|connection (refused|reset)|EOF|TLS|x509|5\d\d |server misbehaving|toomanyrequests|too many requests|network is unreachable/i

/** Why the image of a container is not there. One bad answer of a registry is no cause: it must be said twice, or by the registry to us too. */
export function imageCause(status: unknown, context: PodContext): Finding | undefined {
  const reason = textAt(status, 'state', 'waiting', 'reason') ?? ''
  const message = textAt(status, 'state', 'waiting', 'message') ?? ''
  const image = textAt(status, 'image') ?? ''
  const { pod, sightings, witness } = context
  if (reason === 'InvalidImageName')
    return {
      code: 'image-name-invalid',
      text: `"${image}" names no image: ${message}`,
      remedy: 'correct the reference',
    }
  if (reason === 'ErrImageNeverPull')
    return {
      code: 'image-not-found',
      text: `the image ${image} is not on the node, and imagePullPolicy Never forbids to pull it`,
      remedy: 'load it, or allow pulling',
    }
  if (reason !== 'ErrImagePull' && reason !== 'ImagePullBackOff') return undefined
  const what = `${uidOf(pod)}/${textAt(status, 'name') ?? ''}`
  const held = sightings.heldFor(`pull ${what}`)
  const failures = failuresOf(image, context)
  // The back-off shows a short message: what was said at the pull itself is remembered.
  const said = failures.message || (reason === 'ErrImagePull' ? message : '') || message
  const isRepeated = failures.count >= 2 || held >= SECOND_TRY_MS
  // Whatever the node says: a registry that answers us knows what it has. Where we see the image, the node gets its second try.
  const isMissing = witness.image(image) === 'missing'
  if (isMissing || (!NETWORK.test(said) && NOT_FOUND.test(said)))
    return isMissing || isRepeated
      ? {
          code: 'image-not-found',
          text: `the image ${image} is not in its registry${isMissing ? '' : `: ${shorten(said)}`}`,
          remedy: 'build or copy it there, or deploy a release whose images are there',
        }
      : undefined
  if (!NETWORK.test(said) && DENIED.test(said))
    return isRepeated
      ? {
          code: 'image-access-denied',
          text: `the nodes may not pull the image ${image}: ${shorten(said)}`,
          remedy: 'give the pods a login for the registry (imagePullSecrets)',
        }
      : undefined
  return failures.count >= HICCUP_ATTEMPTS || held >= HICCUP_MS
    ? {
        code: 'registry-unreachable',
        text: `the image ${image} can't be pulled: ${shorten(said)}`,
        remedy: 'check that the nodes reach the registry, and that it works',
      }
    : undefined
}

/** How often the kubelet failed to pull this image for this pod, and what it was told last. */
function failuresOf(
  image: string,
  { pod, picture }: PodContext,
): { readonly count: number; readonly message: string } {
  const events = eventsAbout(pod, picture).filter((event) =>
    (textAt(event, 'message') ?? '').startsWith(`Failed to pull image "${image}"`),
  )
  return {
    count: events.reduce<number>((sum, event) => sum + timesOf(event), 0),
    message: textAt(events.at(-1), 'message') ?? '',
  }
}

/** Runtimes wrap one message into the next; what the registry said stands at the end. */
function shorten(message: string): string {
  const parts = message.split(/: (?=[a-z])/)
  return parts.length <= 3 ? message : `… ${parts.slice(-2).join(': ')}`
}
