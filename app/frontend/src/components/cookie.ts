/** Returns the value of a cookie that scripts may read. */
export function readCookie(cookies: string, wanted: string): string | undefined {
  for (const pair of cookies.split(';')) {
    const [name, value] = pair.trim().split('=', 2)
    if (name === wanted && value) return decodeURIComponent(value)
  }
  return undefined
}
