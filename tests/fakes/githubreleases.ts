import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A release as GitHub's API lists it (docs.github.com, "List releases"); files have a checksum and no content. */
export type FakeRelease = {
  readonly tag: string
  readonly published: string
  readonly prerelease?: boolean
  readonly draft?: boolean
  /** File name → digest, as GitHub reckons it itself. */
  readonly digests?: Readonly<Record<string, string>>
}

export type Releases = {
  /** What `TODO_DEPLOY_RELEASES` has to name. */
  readonly address: string
  /** Host and path of all that was asked for. */
  readonly asked: string[]
  readonly stop: () => Promise<void>
}

/** The checksum that the emulator gives out for the file of an address. */
export function checksumFor(url: string): string {
  return createHash('sha256').update(url).digest('hex')
}

/**
 * An emulator of GitHub's list of releases, and of the checksums beside released files, on hosts of whatever name. It has no network
 * and no files. `releases`: by `owner/name`. `lists`: address of a list of checksums → its text.
 */
export async function emulateReleases(
  releases: Readonly<Record<string, readonly FakeRelease[]>>,
  lists: ReadonlyMap<string, string>,
): Promise<Releases> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const wanted = (request.url ?? '').slice(1)
    asked.push(wanted)
    const repository = /^api\.github\.com\/repos\/([^/]+\/[^/]+)\/releases\?/.exec(wanted)?.[1]
    const body =
      repository === undefined
        ? lists.get(`https://${wanted}`)
        : JSON.stringify((releases[repository] ?? []).map(describe))
    response.writeHead(body === undefined ? 404 : 200).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}

function describe(release: FakeRelease): unknown {
  const { tag, published, prerelease = false, draft = false, digests = {} } = release
  const assets = Object.entries(digests).map(([name, digest]) => ({ name, digest }))
  return { tag_name: tag, name: tag, draft, prerelease, published_at: published, assets }
}
