/** A piece of HTML. Only `markup` makes one, so that no text of others gets into a page as it is. */
export type Html = { readonly html: string }

/** What can stand in a page: markup as it is, everything else as text. */
export type Piece = Html | string | number | readonly Piece[]

/** Characters that hide or turn around what stands beside them: control characters, and those that set the direction of text. */
const UNSEEN =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u200e\u200f\ufeff\u2028-\u202e\u2066-\u2069]/g

/** Names that are longer may be broken. */
const LONGEST_WORD = 24

/** Markup with values in it: `` markup`<b>${name}</b>` ``. Texts are escaped, pieces of HTML stay, lists are joined. */
export function markup(written: TemplateStringsArray, ...values: readonly Piece[]): Html {
  const parts = written.map((part, index) => {
    const value = values[index]
    return value === undefined ? part : part + textOf(value)
  })
  return { html: parts.join('') }
}

/** Nothing at all, for the place of a piece that is not there. */
export const nothing: Html = { html: '' }

/** A link, where the address is one of the web; else the text alone. */
export function link(address: string, text: string | Html): Html {
  const isWeb = /^https?:\/\/[^\s/]/i.test(address)
  return isWeb ? markup`<a href="${address}" rel="noreferrer">${text}</a>` : markup`${text}`
}

/** A name: a short one stays in one line, a long one may be broken anywhere. */
export function word(text: string): Html {
  return text.length <= LONGEST_WORD
    ? markup`<span class="word">${text}</span>`
    : markup`<span class="any">${text}</span>`
}

/** Several names, one after the other. */
export function words(texts: readonly string[]): Html {
  return markup`${texts.map((text, index) => [index === 0 ? '' : ', ', word(text)])}`
}

function textOf(value: Piece): string {
  if (typeof value === 'string') return escapeText(value)
  if (typeof value === 'number') return String(value)
  return 'html' in value ? value.html : value.map(textOf).join('')
}

function escapeText(text: string): string {
  return text
    .replace(UNSEEN, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
