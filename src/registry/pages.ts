import { UserError } from '../errors.ts'
import { listAt, parseJson } from '../json.ts'
import { gather } from './digest.ts'
import type { Reply } from './exchange.ts'
import { MANIFEST_LIMIT, OCI_INDEX } from './manifest.ts'
import type { Listing, Opened } from './repository.ts'
import { type Call, checkedUrl } from './transport.ts'

type Page = Listing & { readonly next: string | undefined }

const PAGES = 100
const ENTRIES = 10_000
/** How registries without the referrers API answer it: nobody there, not so, not at all. */
const UNKNOWN = new Set([400, 404, 405, 406, 501])

/**
 * Asks the referrers API (OCI distribution 1.1) about a manifest, page by page. Undefined where the registry does not have it: many
 * answer 404, some with a page of another kind.
 */
export async function readPages(
  opened: Opened,
  digest: string,
  type: string | undefined,
): Promise<Listing | undefined> {
  const { transport, name } = opened
  const query = type === undefined ? '' : `?artifactType=${encodeURIComponent(type)}`
  const entries: unknown[] = []
  let filtered = true
  let path: string | undefined = `/v2/${opened.repository}/referrers/${digest}${query}`
  for (let page = 1; path !== undefined; page += 1) {
    const call: Call = {
      ...opened.call('reading', 'GET', ''),
      path,
      headers: { accept: OCI_INDEX },
    }
    const found: Page | undefined = await transport.send(call, async (reply) => {
      const isIndex = reply.header('content-type')?.startsWith(OCI_INDEX) === true
      if (UNKNOWN.has(reply.status) || (reply.status === 200 && !isIndex)) return undefined
      if (reply.status !== 200) throw await transport.explain(reply, call)
      const what = `The list of what speaks about ${digest} in ${name}`
      const text = (await gather(reply.body, MANIFEST_LIMIT, what)).toString()
      return {
        entries: listAt(parseJson(text, what), 'manifests'),
        filtered: filters(reply).includes('artifactType'),
        next: nextPage(reply, { registry: transport.registry, origin: transport.base.origin }),
      }
    })
    if (found === undefined) return undefined
    entries.push(...found.entries)
    filtered &&= found.filtered
    path = found.next
    if (page >= PAGES || entries.length > ENTRIES)
      throw new UserError(`${name}: the list of what speaks about ${digest} does not end; refused`)
  }
  return { entries, filtered }
}

function filters(reply: Reply): readonly string[] {
  return (reply.header('oci-filters-applied') ?? '').split(',').map((name) => name.trim())
}

/** The address behind `rel="next"` of a Link header (RFC 8288). Another host has no part of a list. */
function nextPage(
  reply: Reply,
  own: { readonly registry: string; readonly origin: string },
): string | undefined {
  for (const link of reply.headers('link').flatMap((header) => header.split(/,(?=\s*<)/))) {
    const [, target, parameters = ''] = /^\s*<([^>]*)>(.*)$/.exec(link) ?? []
    if (target === undefined || !/;\s*rel\s*=\s*"?next"?(\s|;|$)/i.test(parameters)) continue
    const url = checkedUrl(target, reply.url, own.registry)
    if (url.origin === own.origin) return url.href
    throw new UserError(`The registry ${own.registry} continues a list at ${url.host}; refused`)
  }
  return undefined
}
