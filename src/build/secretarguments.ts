import { at, isObject } from '../json.ts'
import { hasPassword } from '../userinfo.ts'

/** A name that says so. */
const SECRET_NAME =
  /(SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIAL)/i
/** What well-known services give out begins like nothing else does. */
const SECRET_VALUES: readonly (readonly [RegExp, string])[] = [
  [/\b(?:gh[pousr]_\w{30,}|github_pat_\w{30,})/, 'a token of GitHub'],
  [/\bglpat-[\w-]{20,}/, 'a token of GitLab'],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/, 'an access key of AWS'],
  [/\bxox[abeoprs]-[\w-]{10,}/, 'a token of Slack'],
  [/\bsk-[\w-]{20,}/, 'an API key'],
  [/\bnpm_[A-Za-z0-9]{36}\b/, 'a token of npm'],
  [/\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+/, 'a signed token (JWT)'],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----/, 'a private key'],
]
/** BuildKit knows these by itself and keeps them out of the image. */
const PROXIES = /^(?:HTTP|HTTPS|FTP|NO|ALL)_PROXY$/i
/** Shorter values are words that may stand anywhere. */
const SHORTEST_SECRET = 8

/**
 * The build arguments of a target that are secrets, by their name, or by what they hold: the form of a known token, or the value of
 * a variable of ours that is called a secret. The values are not in the answer.
 */
export function secretArguments(
  name: string,
  target: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const args = at(target, 'args')
  if (!isObject(args)) return []
  return Object.entries(args).flatMap(([key, value]) => {
    if (PROXIES.test(key)) return []
    if (SECRET_NAME.test(key)) return [`${name}: ${key}`]
    const what = typeof value === 'string' ? secretIn(value, environment) : undefined
    return what === undefined ? [] : [`${name}: ${key} holds ${what}`]
  })
}

function secretIn(
  value: string,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const known = SECRET_VALUES.find(([form]) => form.test(value))
  if (known !== undefined) return known[1]
  if (hasPassword(value)) return 'an address with a password'
  const variable = Object.entries(environment).find(
    ([name, secret = '']) =>
      SECRET_NAME.test(name) && secret.length >= SHORTEST_SECRET && value.includes(secret),
  )
  return variable === undefined ? undefined : `the value of ${variable[0]}`
}
