import { describe, expect, it } from '@jest/globals'
import { explainBreak, explainStatus } from './explain.ts'
import { TooSlow } from './pace.ts'

const deed = { registry: 'ghcr.io', repository: 'acme/web', anonymous: undefined } as const

function refusal(status: number, text: string) {
  return {
    status,
    header: () => undefined,
    body: (async function* () {
      yield await Promise.resolve(Buffer.from(text))
    })(),
  }
}

const says = (code: string, message = '') => JSON.stringify({ errors: [{ code, message }] })
const LOGIN = 'run "docker login ghcr.io" (or docker/login-action) before'

describe('the first line of a refusal', () => {
  it.each([
    {
      status: 401,
      anonymous: 'nobody has logged in',
      line: `reading ghcr.io/acme/web: it wants a login (401): ${LOGIN}`,
    },
    {
      status: 401,
      line: `reading ghcr.io/acme/web: the login is not accepted (401); it may be wrong or too old: ${LOGIN}`,
    },
    {
      status: 403,
      line: 'reading ghcr.io/acme/web: the login has no permission for it (403); give it the right to read (on GitHub: permissions: packages: read)',
    },
    {
      status: 403,
      doing: 'publishing to' as const,
      line: 'publishing to ghcr.io/acme/web: the login has no permission for it (403); give it the right to write (on GitHub: permissions: packages: write)',
    },
    {
      status: 403,
      anonymous: 'nobody has logged in',
      line: `reading ghcr.io/acme/web: without a login there is no permission for it (403): ${LOGIN}`,
    },
    {
      status: 404,
      line: 'reading ghcr.io/acme/web: it is not there (404); check the name',
    },
    {
      status: 404,
      doing: 'publishing to' as const,
      text: says('NAME_UNKNOWN'),
      line: 'publishing to ghcr.io/acme/web: the registry knows no such repository (404); check the name, or create it first',
    },
    {
      status: 405,
      doing: 'publishing to' as const,
      line: 'publishing to ghcr.io/acme/web: the registry does not do this (405); it may be a mirror, which is only read',
    },
    {
      status: 413,
      doing: 'publishing to' as const,
      line: 'publishing to ghcr.io/acme/web: this is too large for the registry, or for a proxy before it (413); raise the limit there',
    },
    {
      status: 429,
      passing: true,
      line: 'reading ghcr.io/acme/web: too many requests (429); wait, then run again, or log in where that raises the limit',
    },
    {
      status: 500,
      passing: true,
      line: 'reading ghcr.io/acme/web: the registry answered 500; its own log says why: run again when it is well',
    },
    {
      status: 501,
      line: 'reading ghcr.io/acme/web: the registry answered 501; its own log says why: run again when it is well',
    },
    {
      status: 400,
      doing: 'publishing to' as const,
      text: says('DIGEST_INVALID'),
      line: 'publishing to ghcr.io/acme/web: other bytes arrived than were sent (400); run again, and look for a proxy between',
    },
    {
      status: 400,
      doing: 'publishing to' as const,
      text: says('MANIFEST_BLOB_UNKNOWN'),
      line: 'publishing to ghcr.io/acme/web: a blob that the manifest names is not there (400); run again',
    },
    { status: 418, line: 'reading ghcr.io/acme/web: the registry answered 418' },
  ])('with $status is "$line"', async (given) => {
    const { status, text = '', line, doing = 'reading', anonymous, passing = false } = given
    const error = await explainStatus(refusal(status, text), { ...deed, doing, anonymous })
    expect(error).toMatchObject({ message: line, passing, status })
  })

  it.each([
    { text: says('DENIED', 'not you'), shown: ['The registry said: DENIED: not you'] },
    { text: '<h1>\n::error::no\r\n</h1>', shown: ['The registry said: <h1> ::error::no </h1>'] },
    { text: 'for Bearer eyJhbGciOiJFUzI1NiIs', shown: ['The registry said: for Bearer ***'] },
    { text: '{"errors":"none"}', shown: ['The registry said: {"errors":"none"}'] },
    { text: '', shown: [] },
    { text: 'x'.repeat(100_000), shown: [] },
  ])("is followed by the registry's own words, on one line", async ({ text, shown }) => {
    const error = await explainStatus(refusal(400, text), { ...deed, doing: 'reading' })
    expect(error.details).toEqual(shown)
  })

  it('is followed by the reason why there was no login', async () => {
    const anonymous = 'docker-credential-x failed (1)'
    const error = await explainStatus(refusal(401, ''), { ...deed, doing: 'reading', anonymous })
    expect(error.details).toEqual([anonymous])
  })
})

describe('the first line of a broken exchange', () => {
  it.each([
    {
      code: 'ECONNREFUSED',
      line: /^The registry r can't be reached; check .*: the connection was refused$/,
    },
    {
      code: 'ENOTFOUND',
      line: /^The registry r can't be reached; check its name: no address is known/,
    },
    { code: 'EAI_AGAIN', line: /the name server does not answer$/ },
    { code: 'ETIMEDOUT', line: /nothing answers at this address$/ },
    { code: 'EHOSTUNREACH', line: /nothing answers at this address$/ },
    { code: 'ECONNRESET', line: /^The registry r cut the connection; run again/ },
    { code: 'EPIPE', line: /^The registry r cut the connection; run again/ },
    {
      code: 'SELF_SIGNED_CERT_IN_CHAIN',
      line: /authority that is not known here; .*NODE_EXTRA_CA_CERTS$/,
    },
    { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', line: /authority that is not known here/ },
    { code: 'CERT_HAS_EXPIRED', line: /a certificate that is not valid today; renew it/ },
    { code: 'ERR_TLS_CERT_ALTNAME_INVALID', line: /a certificate of another name; use the name/ },
    { code: 'EPROTO', line: /does not speak TLS as it should; plain HTTP works on localhost/ },
    { code: 'HPE_INVALID_CONSTANT', line: /does not speak HTTP as it should; check the port/ },
    { code: 'EWHATEVER', line: /can't be reached; check its name, the network and that it runs$/ },
  ])('by $code tells what to do', ({ code, line }) => {
    const error = explainBreak(Object.assign(new Error('it broke'), { code }), 'The registry r')
    expect(error.message).toMatch(line)
    expect(error.details).toEqual([`${code}: it broke`])
  })

  it('by slowness tells how slow it was', () => {
    expect(explainBreak(new TooSlow('3 bytes in 60000 ms'), 'The registry r').message).toBe(
      'The registry r is too slow (3 bytes in 60000 ms); run again, or look at the network between',
    )
  })
})
