import { messageOf, UserError } from '../errors.ts'
import { at, listAt, textAt } from '../json.ts'
import { gather } from './digest.ts'
import { RegistryError } from './failure.ts'
import { TooSlow } from './pace.ts'
import { retryAfterMs } from './patience.ts'

/** What was being done, for the first line of a failure. */
export type Deed = {
  readonly doing: 'reading' | 'publishing to'
  readonly registry: string
  readonly repository: string
  /** Why there was no login, or undefined where one was used. */
  readonly anonymous: string | undefined
}

/** Of what a registry says about a refusal, this much is shown. */
const SHOWN = 400
const READ = 16 * 1024
/** These pass: too slow, too many, and whatever a server says about itself, but for "can't" and "never". */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504, 507, 520, 521, 522, 523, 524])

export function mayPass(status: number): boolean {
  return PASSING.has(status)
}

/** The error that a refusing status is: where, why, and what to do about it. Reads the body, but not all of a long one. */
export async function explainStatus(
  reply: {
    readonly status: number
    readonly body: AsyncIterable<Uint8Array>
    readonly header: (name: string) => string | undefined
  },
  deed: Deed,
): Promise<RegistryError> {
  const said = await readWords(reply.body)
  const why = wantsTls(reply.status, said.text)
    ? 'it wants TLS (400), and registries on this machine are asked without; use the name of the machine in place of localhost'
    : reason(reply.status, said.code, deed)
  const details = said.text === '' ? [] : [`The registry said: ${said.text}`]
  if (deed.anonymous !== undefined && (reply.status === 401 || reply.status === 403))
    details.unshift(deed.anonymous)
  return new RegistryError(`${deed.doing} ${deed.registry}/${deed.repository}: ${why}`, {
    passing: mayPass(reply.status),
    status: reply.status,
    waitMs: retryAfterMs(reply.header('retry-after'), Date.now()),
    details,
  })
}

/** What Go's and nginx's servers say to plain HTTP. */
function wantsTls(status: number, said: string): boolean {
  return status === 400 && /HTTP request .*HTTPS (server|port)/i.test(said)
}

function reason(status: number, code: string, deed: Deed): string {
  const { registry, doing, anonymous } = deed
  const write = doing === 'publishing to'
  const login = `run "docker login ${registry}" (or docker/login-action) before`
  const refusals: Readonly<Record<number, string>> = {
    401:
      anonymous === undefined
        ? `the login is not accepted (401); it may be wrong or too old: ${login}`
        : `it wants a login (401): ${login}`,
    403:
      anonymous === undefined
        ? `the login has no permission for it (403); give it the right to ${write ? 'write' : 'read'} (on GitHub: permissions: packages: ${write ? 'write' : 'read'})`
        : `without a login there is no permission for it (403): ${login}`,
    404: write
      ? 'the registry knows no such repository (404); check the name, or create it first'
      : 'it is not there (404); check the name',
    405: `the registry does not do this (405); it may be ${write ? 'a mirror, which is only read' : 'no registry'}`,
    413: 'this is too large for the registry, or for a proxy before it (413); raise the limit there',
    416: 'the registry has another part of the upload than it said (416); run again',
    429: 'too many requests (429); wait, then run again, or log in where that raises the limit',
  }
  const codes: Readonly<Record<string, string>> = {
    DIGEST_INVALID: `other bytes arrived than were sent (${status}); run again, and look for a proxy between`,
    MANIFEST_BLOB_UNKNOWN: `a blob that the manifest names is not there (${status}); run again`,
    NAME_INVALID: `the registry does not accept this name (${status}); choose another`,
  }
  if (status >= 500)
    return `the registry answered ${status}; its own log says why: run again when it is well`
  return refusals[status] ?? codes[code] ?? `the registry answered ${status}`
}

/** The registry's own words on one line: what it sends may not look like a line of ours. */
async function readWords(
  body: AsyncIterable<Uint8Array>,
): Promise<{ readonly code: string; readonly text: string }> {
  let text = ''
  try {
    text = (await gather(body, READ, 'an explanation')).toString()
  } catch {
    return { code: '', text: '' } // It is long or breaks off; the status alone has to do.
  }
  const errors = listAt(parsed(text), 'errors')
  const code = textAt(errors[0], 'code') ?? ''
  const words = errors.map((error) =>
    [textAt(error, 'code'), textAt(error, 'message'), textAt(at(error, 'detail'))]
      .filter((word) => word !== undefined && word !== '')
      .join(': '),
  )
  const shown = words.length > 0 ? words.join('; ') : text
  return { code, text: withoutLogin(oneLine(shown)).slice(0, SHOWN) }
}

/** Some registries repeat what they were sent. */
function withoutLogin(text: string): string {
  return text.replace(/\b(basic|bearer)\s+[\w.~+/=-]{8,}/gi, '$1 ***')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // Many refusals are pages or plain text.
  }
}

export function oneLine(text: string): string {
  return text.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()
}

/** The error that a broken exchange with `who` is. What is explained already is given back as it is. */
export function explainBreak(error: unknown, who: string): UserError {
  if (error instanceof UserError) return error
  if (error instanceof TooSlow)
    return new RegistryError(
      `${who} is too slow (${error.message}); run again, or look at the network between`,
      { passing: true, cause: error },
    )
  const code = textAt(error, 'code') ?? ''
  const known = breaks.find(({ codes }) => codes.test(code))
  const details = [`${code === '' ? '' : `${code}: `}${oneLine(messageOf(error))}`]
  const why = known?.why ?? "can't be reached; check its name, the network and that it runs"
  const facts = { passing: known?.passing ?? true, details, cause: error }
  return new RegistryError(`${who} ${why}`, facts)
}

const CERTIFICATES =
  'put the certificate of that authority into a file and its path into NODE_EXTRA_CA_CERTS'
const breaks = [
  {
    codes: /^ECONNREFUSED$/,
    passing: true,
    why: "can't be reached; check that it runs and listens at this address: the connection was refused",
  },
  {
    codes: /^(ENOTFOUND|EAI_NODATA|EAI_NONAME)$/,
    passing: false,
    why: "can't be reached; check its name: no address is known for it",
  },
  {
    codes: /^EAI_AGAIN$/,
    passing: true,
    why: "can't be reached; check the network: the name server does not answer",
  },
  {
    codes: /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/,
    passing: true,
    why: "can't be reached; check the network and its firewalls: nothing answers at this address",
  },
  {
    codes: /^(ECONNRESET|EPIPE|ECONNABORTED|ERR_STREAM_PREMATURE_CLOSE)$/,
    passing: true,
    why: 'cut the connection; run again, and look for a proxy between that does it',
  },
  {
    codes:
      /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|CERT_UNTRUSTED)$/,
    passing: false,
    why: `shows a certificate of an authority that is not known here; if it is yours, ${CERTIFICATES}`,
  },
  {
    codes: /^(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|CERT_REVOKED)$/,
    passing: false,
    why: 'shows a certificate that is not valid today; renew it, and check the clock of this machine',
  },
  {
    codes: /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    passing: false,
    why: 'shows a certificate of another name; use the name that it was made for',
  },
  {
    codes: /^(EPROTO|ERR_SSL_.*)$/,
    passing: false,
    why: 'does not speak TLS as it should; plain HTTP works on localhost and 127.0.0.1 only',
  },
  {
    codes: /^HPE_/,
    passing: false,
    why: 'does not speak HTTP as it should; check the port, and whether it wants TLS',
  },
] as const
