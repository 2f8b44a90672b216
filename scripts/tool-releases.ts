import { messageOf, UserError } from '../src/errors.ts'
import { at, parseJson, textAt } from '../src/json.ts'
import type { Pin } from '../src/tools/install.ts'

/** A pinned program: its version, and the archive of each platform. */
export type PinnedTool = {
  readonly version: string
  readonly platforms: Readonly<Record<string, Pin>>
}

/** What there is for a pinned program. */
export type Proposal = {
  readonly tool: string
  readonly now: string
  /** The pinned program of the newest release that may be used; undefined where there is none. */
  readonly next: (PinnedTool & { readonly published: string }) | undefined
  /** What is newer and not proposed, and why. */
  readonly notes: readonly string[]
}

type Source = {
  readonly repository: string
  /** What stands before the version in a tag. */
  readonly prefix: string
  /** The file of checksums beside the archive; {file} stands for its name, {version} for the version without "v". */
  readonly checksums: string
  /** How far a version may go by itself: the clusters that kubectl speaks to do not move with it. */
  readonly within: 'major' | 'minor'
}

const source = (repository: string, checksums: string, more: Partial<Source> = {}): Source => ({
  ...{ repository, prefix: 'v', checksums, within: 'major' },
  ...more,
})

const SOURCES: Readonly<Record<string, Source>> = {
  buildx: source('docker/buildx', 'checksums.txt'),
  kind: source('kubernetes-sigs/kind', '{file}.sha256sum'),
  kustomize: source('kubernetes-sigs/kustomize', 'checksums.txt', { prefix: 'kustomize/v' }),
  syft: source('anchore/syft', 'syft_{version}_checksums.txt'),
  grype: source('anchore/grype', 'grype_{version}_checksums.txt'),
  kubectl: source('kubernetes/kubernetes', '{file}.sha256', { within: 'minor' }),
  kubeconform: source('yannh/kubeconform', 'CHECKSUMS'),
  helm: source('helm/helm', '{file}.sha256sum'),
}

/** Most releases that were tampered with were found out and withdrawn within some days. */
const LEAST_AGE_DAYS = 7
const DAY_MS = 86_400_000
const TIMEOUT_MS = 30_000
const TEXT_LIMIT = 4 * 1024 * 1024

/** Reads a text over the network, or throws `UserError`. */
export type ReadText = (url: string) => Promise<string>

/**
 * Reads over HTTPS. `TODO_DEPLOY_RELEASES` is the address of a server that stands in for all hosts: it gets their names as the first
 * part of the path. GitHub counts the calls of those who show no token more strictly.
 */
export function openNetwork(env: Readonly<Record<string, string | undefined>>): ReadText {
  const { TODO_DEPLOY_RELEASES: instead = '', GITHUB_TOKEN: token = '' } = env
  return async (url) => {
    const { host } = new URL(url)
    const isApi = host === 'api.github.com' && instead === '' && token !== ''
    const address = instead === '' ? url : url.replace('https://', `${instead}/`)
    const answer = await fetch(address, {
      headers: isApi ? { authorization: `Bearer ${token}` } : {},
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((error: unknown) => {
      throw new UserError(
        `${host} can't be reached; check the network`,
        [messageOf(error instanceof Error ? (error.cause ?? error) : error)],
        {
          cause: error,
        },
      )
    })
    if (answer.status === 403 || answer.status === 429)
      throw new UserError(
        `${host} wants no more calls now (${answer.status}); set GITHUB_TOKEN, or wait`,
      )
    if (!answer.ok)
      throw new UserError(`${url} answers ${answer.status}; look whether it has moved`)
    const text = await answer.text()
    if (text.length > TEXT_LIMIT) throw new UserError(`${url} is larger than a list of files is`)
    return text
  }
}

/** The newest release that is old enough, no trial, and has a checksum for every platform that is pinned now. */
export async function proposeUpdate(
  tool: string,
  pinned: PinnedTool,
  by: { readonly read: ReadText; readonly now: Date },
): Promise<Proposal> {
  const from = SOURCES[tool]
  if (from === undefined) throw new UserError(`It is not known where ${tool} is released`)
  const { candidates, notes } = choose(await listReleases(tool, from, by.read), {
    ...{ pinned: pinned.version, from, now: by.now },
  })
  const [newest] = candidates
  if (newest === undefined) return { tool, now: pinned.version, next: undefined, notes }
  const platforms: Record<string, Pin> = {}
  const lists = new Map<string, string>()
  for (const [platform, pin] of Object.entries(pinned.platforms)) {
    const url = pin.url.replaceAll(pinned.version.slice(1), newest.version.slice(1))
    const list = checksumsBeside(url, from.checksums, newest.version)
    const text = lists.get(list) ?? (await by.read(list))
    lists.set(list, text)
    platforms[platform] = { ...pin, url, sha256: checksumOf(url, text, { tool, newest }) }
  }
  const { version, published } = newest
  return { tool, now: pinned.version, next: { version, platforms, published }, notes }
}

type Found = {
  readonly version: string
  readonly published: string
  /** File name → sha256, as GitHub itself says of newer releases. */
  readonly digests: ReadonlyMap<string, string>
}

async function listReleases(tool: string, from: Source, read: ReadText): Promise<readonly Found[]> {
  const url = `https://api.github.com/repos/${from.repository}/releases?per_page=100`
  const list = parseJson(await read(url), `the releases of ${tool}`)
  if (!Array.isArray(list)) throw new UserError(`The releases of ${tool} are no list; see ${url}`)
  const isFinal = new RegExp(`^${from.prefix}(\\d+\\.\\d+\\.\\d+)$`)
  return list.flatMap((release: unknown) => {
    const version = isFinal.exec(textAt(release, 'tag_name') ?? '')?.[1]
    const published = textAt(release, 'published_at')
    const isTrial = at(release, 'prerelease') !== false || at(release, 'draft') !== false
    if (version === undefined || published === undefined || isTrial) return []
    return [{ version: `v${version}`, published, digests: digestsOf(release) }]
  })
}

function digestsOf(release: unknown): ReadonlyMap<string, string> {
  const assets = at(release, 'assets')
  return new Map(
    (Array.isArray(assets) ? assets : []).flatMap((asset: unknown) => {
      const digest = /^sha256:([0-9a-f]{64})$/.exec(textAt(asset, 'digest') ?? '')?.[1]
      return digest === undefined ? [] : [[textAt(asset, 'name') ?? '', digest] as const]
    }),
  )
}

/** Those newer than the pinned one, newest first, and in words what else is newer. */
function choose(
  found: readonly Found[],
  by: { readonly pinned: string; readonly from: Source; readonly now: Date },
): { readonly candidates: readonly Found[]; readonly notes: readonly string[] } {
  const candidates: Found[] = []
  const notes: string[] = []
  const depth = by.from.within === 'major' ? 1 : 2
  const newer = found.filter(({ version }) => compare(version, by.pinned) > 0)
  for (const release of newer.sort((a, b) => compare(b.version, a.version))) {
    const { version, published } = release
    const days = Math.floor((by.now.getTime() - Date.parse(published)) / DAY_MS)
    if (series(version, depth) !== series(by.pinned, depth))
      notes.push(`${version} is another ${by.from.within} version: by hand`)
    else if (days >= LEAST_AGE_DAYS) candidates.push(release)
    else notes.push(`${version} is ${days} days old: not before ${LEAST_AGE_DAYS}`)
  }
  return { candidates, notes: notes.slice(0, 2) }
}

function numbersOf(version: string): readonly number[] {
  return version.slice(1).split('.').map(Number)
}

function compare(a: string, b: string): number {
  const [left, right] = [numbersOf(a), numbersOf(b)]
  const differing = left.findIndex((number, at) => number !== right[at])
  return differing < 0 ? 0 : (left[differing] ?? 0) - (right[differing] ?? 0)
}

function series(version: string, depth: number): string {
  return numbersOf(version).slice(0, depth).join('.')
}

function checksumsBeside(url: string, name: string, version: string): string {
  const folder = url.slice(0, url.lastIndexOf('/'))
  const file = url.slice(url.lastIndexOf('/') + 1)
  return `${folder}/${name.replace('{file}', file).replace('{version}', version.slice(1))}`
}

function checksumOf(
  url: string,
  list: string,
  { tool, newest }: { readonly tool: string; readonly newest: Found },
): string {
  const file = url.slice(url.lastIndexOf('/') + 1)
  const lines = list.trim().split('\n')
  const [sha256] = lines.flatMap((line) => {
    const [, found, name] = /^([0-9a-f]{64})(?:\s+\*?(?:\.\/)?(\S+))?\s*$/i.exec(line) ?? []
    const isIt = name === file || (name === undefined && lines.length === 1)
    return found !== undefined && isIt ? [found.toLowerCase()] : []
  })
  if (sha256 === undefined)
    throw new UserError(
      `The checksums of ${tool} ${newest.version} lack ${file}; nothing was written`,
    )
  const known = newest.digests.get(file)
  if (known !== undefined && known !== sha256)
    throw new UserError(
      `The checksum of ${file} (${tool} ${newest.version}) is ${sha256}, and GitHub has ${known}; do not use it`,
    )
  return sha256
}
