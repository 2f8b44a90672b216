/** What stands between `://` and `@` of an address: a user, and often a password or a token. */
const USERINFO = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"'`]+@/gi

/** The text without the logins that addresses in it carry, as in `https://somebody:token@host/path`. */
export function hideUserinfo(text: string): string {
  return text.replace(USERINFO, '$1***@')
}

/** True where an address in the text carries a password, or a token in the place of one. */
export function hasPassword(text: string): boolean {
  return /\b[a-z][a-z0-9+.-]*:\/\/[^\s/@:"'`]*:[^\s/@"'`]+@/i.test(text)
}
