import { afterEach, describe, expect, it } from '@jest/globals'
import {
  type Asked,
  digestOf,
  type FakeRegistry,
  openFakeRegistry,
  type Reply,
} from '../../tests/fakes/registry.ts'
import { openRepository } from './client.ts'
import type { Listing } from './repository.ts'

const INDEX = 'application/vnd.oci.image.index.v1+json'
const TYPE = 'application/vnd.todo-deploy.verdict.v1+json'
const subject = digestOf('release')
const referrers = `/v2/todo/release/referrers/${subject}`

let registry: FakeRegistry | undefined
afterEach(async () => {
  await registry?.close()
})

async function list(answer: (asked: Asked) => Reply): Promise<Listing | undefined> {
  registry = await openFakeRegistry(answer)
  const place = { registry: registry.registry, repository: 'todo/release' }
  const repository = openRepository(place, new AbortController().signal)
  return await repository.getReferrers(subject, TYPE)
}

const page = (names: readonly string[], headers: Readonly<Record<string, string>> = {}): Reply => ({
  status: 200,
  headers: { 'content-type': INDEX, ...headers },
  body: JSON.stringify({ manifests: names.map((name) => ({ name })) }),
})

describe('the list of what speaks about a manifest', () => {
  it('is asked for by type, and read page by page', async () => {
    const pages = [
      page(['a', 'b'], { link: `</v2/other>; rel="prev", <${referrers}?n=2>; rel="next"` }),
      page(['c'], { link: `<?n=3>;rel=next` }),
      page([]),
    ]
    const listing = await list(() => pages.shift() ?? { status: 500 })
    expect(listing?.entries).toEqual(['a', 'b', 'c'].map((name) => ({ name })))
    expect(registry?.asked.map(({ url }) => `${url.pathname}${url.search}`)).toEqual([
      `${referrers}?artifactType=${encodeURIComponent(TYPE)}`,
      `${referrers}?n=2`,
      `${referrers}?n=3`,
    ])
  })

  it.each([
    {
      name: 'says so',
      headers: { 'oci-filters-applied': 'annotations, artifactType' },
      filtered: true,
    },
    { name: 'says nothing', headers: {}, filtered: false },
    { name: 'says another', headers: { 'oci-filters-applied': 'annotations' }, filtered: false },
  ])('is filtered where the registry $name: $filtered', async ({ headers, filtered }) => {
    expect((await list(() => page(['a'], headers)))?.filtered).toBe(filtered)
  })

  it.each([
    { name: '404', reply: { status: 404 } },
    { name: '400', reply: { status: 400 } },
    { name: 'a page for people', reply: { status: 200, headers: { 'content-type': 'text/html' } } },
  ])('is none where the registry answers $name', async ({ reply }) => {
    expect(await list(() => reply)).toBeUndefined()
  })

  it('is not guessed where the registry refuses', async () => {
    await expect(list(() => ({ status: 403 }))).rejects.toThrow('permission')
  })
})
