// Runs after `next build`, in the folder of the application. Next.js rolls dice for the id of a build
// and for a few keys; this puts values in their place that follow from what was built, so that the same
// sources make the same image. What that means for the keys is in docs/images.md.
import { createHash, createHmac } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const BUILT = ['.next/standalone', '.next/static', 'out']
/** Where a build finds its secret `key-seed`, if it has one. */
const SEED = '/run/secrets/key-seed'
const SOURCE = /\.[cm]?[jt]sx?$/
/** What makes a page show what is not public yet; the keys guard it. */
const PREVIEW = /\b(draftMode|setDraftMode|setPreviewData)\b/

const { preview, routes, dynamicRoutes } = readJson('.next/prerender-manifest.json')
const actions = readJson('.next/server/server-reference-manifest.json')
const buildId = readFileSync('.next/BUILD_ID', 'utf8')
const isRandomId = /^[\w-]{21}$/.test(buildId)
const keys = [...Object.values(preview), actions.encryptionKey]
const seed = existsSync(SEED) ? readFileSync(SEED, 'utf8').trim() : ''
const guarded = seed === '' ? findGuarded() : undefined

const files = BUILT.filter(existsSync).flatMap(listFiles)
const random = [...(isRandomId ? [buildId] : []), ...(guarded ? [] : keys)]
const summaries = files.map((file) =>
  digest(blank(file) + digest(blank(readFileSync(file, 'latin1')))),
)
const content = digest(summaries.toSorted().join())
const settled = new Map(guarded ? [] : keys.map((key, index) => [key, makeKey(key, index)]))
if (isRandomId) settled.set(buildId, BigInt(`0x${content}`).toString().slice(0, buildId.length))
for (const file of files) {
  const before = readFileSync(file, 'latin1')
  const after = replaceAll(before)
  if (after !== before) writeFileSync(file, after, 'latin1')
}
for (const folder of ['.next/static', 'out/_next/static', 'out/_next'])
  if (isRandomId && existsSync(join(folder, buildId)))
    renameSync(join(folder, buildId), join(folder, settled.get(buildId)))
if (guarded)
  console.log(`settle: ${guarded}, so the keys stay random and no two builds are the same;`)
if (guarded) console.log('settle: give the build secret "key-seed" to have both')

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

/** Returns what the application does that needs keys nobody can guess. */
function findGuarded() {
  const hasActions = [actions.node, actions.edge].some((some) => Object.keys(some).length > 0)
  if (hasActions) return 'there are server actions'
  const pages = [...Object.values(routes), ...Object.values(dynamicRoutes)]
  const isRenewed = ({ initialRevalidateSeconds: a, fallbackRevalidate: b }) => a || b
  if (pages.some(isRenewed)) return 'there are pages that are renewed while the server runs'
  const source = listFiles('.').find(
    (path) => SOURCE.test(path) && PREVIEW.test(readFileSync(path, 'utf8')),
  )
  return source === undefined ? undefined : `${source} shows previews`
}

function listFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return isForeign(path) ? [] : listFiles(path)
    return entry.isFile() ? [path] : []
  })
}

/** Packages, and what Next.js itself left in the folder of sources. */
function isForeign(path) {
  return path.endsWith('node_modules') || path === '.next'
}

function digest(text) {
  return createHash('sha256').update(text).digest('hex')
}

function blank(text) {
  return random.reduce((rest, value) => rest.replaceAll(value, ''), text)
}

function replaceAll(text) {
  return [...settled].reduce((rest, [before, after]) => rest.replaceAll(before, after), text)
}

/** As long as the one it replaces, and in the same alphabet. */
function makeKey(key, index) {
  const bytes = createHmac('sha512', seed || content)
    .update(`key ${index}`)
    .digest()
  const isHex = /^[0-9a-f]+$/.test(key)
  const size = Buffer.from(key, isHex ? 'hex' : 'base64').length
  return bytes.subarray(0, size).toString(isHex ? 'hex' : 'base64')
}
