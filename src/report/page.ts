import { type Html, markup, nothing, type Piece } from './markup.ts'
import { PAGE_STYLE } from './pagestyle.ts'

export type Section = {
  readonly title: string
  /** One sentence below the title. */
  readonly lead?: Piece
  readonly body: Piece
}

export type Page = {
  /** What made it, such as `build-images`. */
  readonly about: string
  readonly tone: 'good' | 'bad'
  /** The verdict in words: the first thing that is read. */
  readonly verdict: string
  /** What follows from it. */
  readonly detail?: Piece
  readonly facts: readonly (readonly [string, Piece])[]
  readonly sections: readonly Section[]
  /** When it was made, in ISO form. */
  readonly at: string
}

/**
 * A whole page in one file: no script, nothing from the network, and a policy that forbids both, should something of others ever get
 * in as markup.
 */
export function renderPage(page: Page): string {
  const { about, tone, verdict, detail, facts, sections, at } = page
  const policy =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
  const ids = sections.map(({ title }, index) => `${index + 1}-${slug(title)}`)
  const contents = sections.map(
    ({ title }, index) => markup`<li><a href="#${ids[index] ?? ''}">${title}</a></li>`,
  )
  const { html: text } = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${`${mark(tone)} ${about}: ${verdict}`}</title>
${PAGE_STYLE}
</head>
<body>
<header class="verdict ${tone}">
<p class="about"><span>todo-deploy</span> ${about}<time datetime="${at}">${day(at)}</time></p>
<div class="said">${icon(tone)}<div><h1>${verdict}</h1>${detail === undefined ? nothing : markup`<div class="detail">${detail}</div>`}</div></div>
<dl class="facts">${facts.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
</header>
${sections.length < 2 ? nothing : markup`<nav aria-label="Sections"><ul>${contents}</ul></nav>`}
<main>
${sections.map((section, index) => renderSection(section, ids[index] ?? ''))}
</main>
<footer>Made by todo-deploy ${about}, ${at}. This file is whole in itself: it loads nothing and runs nothing.</footer>
</body>
</html>
`
  return text
}

export type Table = {
  readonly head: readonly string[]
  readonly rows: readonly (readonly Piece[])[]
  /** Columns of numbers, by index: they stand at the right. */
  readonly numbers?: readonly number[]
}

/** A table; on a narrow screen each row becomes a card, with the head's words before each cell. */
export function table({ head, rows, numbers = [] }: Table): Html {
  const side = (index: number): Html =>
    numbers.includes(index) ? markup` class="number"` : nothing
  // Cards are no table any more for a screen reader, unless the roles are said.
  return markup`<div class="scroll"><table role="table">
<thead role="rowgroup"><tr role="row">${head.map((cell, index) => markup`<th role="columnheader" scope="col"${side(index)}>${cell}</th>`)}</tr></thead>
<tbody role="rowgroup">${rows.map(
    (cells) =>
      markup`<tr role="row">${cells.map((cell, index) => markup`<td role="cell" data-label="${head[index] ?? ''}"${side(index)}><div>${cell}</div></td>`)}</tr>
`,
  )}</tbody>
</table></div>`
}

/** Lines of a program, as it wrote them. */
export function codeLines(lines: readonly string[]): Html {
  // A box that scrolls has to be reachable with the keyboard.
  return markup`<pre tabindex="0"><code>${lines.join('\n')}</code></pre>`
}

/** What not everybody wants to read, under a line that says what it is. */
export function fold(summary: Piece, body: Piece, open = false): Html {
  return markup`<details${open ? markup` open` : nothing}><summary>${summary}</summary>${body}</details>`
}

function renderSection({ title, lead, body }: Section, id: string): Html {
  return markup`<section id="${id}">
<h2>${title}</h2>
${lead === undefined ? nothing : markup`<p class="lead">${lead}</p>`}
${body}
</section>
`
}

function mark(tone: Page['tone']): string {
  return tone === 'good' ? '✓' : '✗'
}

/** Drawn and not written: fonts differ, and a missing glyph would hide the verdict. */
function icon(tone: Page['tone']): Html {
  const stroke =
    tone === 'good'
      ? markup`<path d="M12 20.5l5.5 5.5L28.5 14.5"/>`
      : markup`<path d="M14 14l12 12M26 14L14 26"/>`
  return markup`<svg class="icon" viewBox="0 0 40 40" width="40" height="40" aria-hidden="true"><circle cx="20" cy="20" r="19"/>${stroke}</svg>`
}

function day(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`
}

function slug(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}
