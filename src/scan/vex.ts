import { UserError } from '../errors.ts'
import { isObject, listAt, parseJson, textAt } from '../json.ts'
import { type Finding, isNamed } from './findings.ts'

/** Of an OpenVEX document: this vulnerability does no harm in these products. */
export type VexStatement = {
  readonly id: string
  readonly aliases: readonly string[]
  readonly status: 'not_affected' | 'fixed'
  /** Why, in the document's own words. */
  readonly why: string
  /** Package URLs of packages or of images (`pkg:oci/NAME`), without qualifiers; with a version or for all versions. */
  readonly products: readonly VexProduct[]
}

export type VexProduct = { readonly id: string; readonly parts: readonly string[] }

const HARMLESS = ['not_affected', 'fixed'] as const

/**
 * Reads an OpenVEX document (github.com/openvex/spec, 0.2.0). Statements of other statuses say that harm is possible or not yet
 * known, and change nothing. Throws `UserError` where the text is no such document.
 */
export function parseVex(text: string, file: string): readonly VexStatement[] {
  const document = parseJson(text, file)
  if (!(textAt(document, '@context') ?? '').startsWith('https://openvex.dev/ns'))
    throw new UserError(`${file} is not an OpenVEX document; it has no "@context" of openvex.dev`)
  return listAt(document, 'statements').flatMap((statement, index): VexStatement[] => {
    const status = HARMLESS.find((known) => known === textAt(statement, 'status'))
    if (status === undefined) return []
    const id = textAt(statement, 'vulnerability', 'name') ?? textAt(statement, 'vulnerability')
    const products = listAt(statement, 'products').map(productOf)
    const why = textAt(statement, 'justification') ?? textAt(statement, 'impact_statement')
    if (id === undefined || products.length === 0 || (status === 'not_affected' && !why))
      throw new UserError(
        `${file}: statement ${index + 1} needs a vulnerability, products and, where it says not_affected, a justification`,
      )
    const aliases = listAt(statement, 'vulnerability', 'aliases').map(String)
    return [{ id, aliases, status, why: why ?? status, products }]
  })
}

function productOf(product: unknown): VexProduct {
  const idOf = (value: unknown) =>
    isObject(value)
      ? (textAt(value, '@id') ?? textAt(value, 'identifiers', 'purl') ?? '')
      : String(value)
  return { id: idOf(product), parts: listAt(product, 'subcomponents').map(idOf) }
}

/** True where the statement speaks about this finding in this image. */
export function speaksOf(statement: VexStatement, finding: Finding, image: string): boolean {
  const named = [statement.id, ...statement.aliases].some((id) => isNamed(finding, id))
  return named && statement.products.some((product) => covers(product, finding, image))
}

function covers({ id, parts }: VexProduct, finding: Finding, image: string): boolean {
  if (isPackage(id, finding.purl)) return true
  const isImage = id === image || imageName(id) === image
  return isImage && (parts.length === 0 || parts.some((part) => isPackage(part, finding.purl)))
}

/** The name in `pkg:oci/NAME@…?…`, or undefined for what is no image. */
function imageName(purl: string): string | undefined {
  return /^pkg:oci\/([^@?#]+)/.exec(purl)?.[1]
}

/** A package URL without a version covers every version; qualifiers such as the architecture do not count. */
function isPackage(claimed: string, purl: string): boolean {
  if (!claimed.startsWith('pkg:') || purl === '') return false
  const [wanted, found] = [bare(claimed), bare(purl)]
  return wanted === found || wanted === found.replace(/@[^@/]*$/, '')
}

function bare(purl: string): string {
  return purl.replace(/[?#].*$/, '')
}
