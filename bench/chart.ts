/** One comparison: two bars on a scale of its own, and what was aimed at. */
export type Row = {
  readonly name: string
  readonly peer: { readonly name: string; readonly seconds: number }
  readonly ours: { readonly name: string; readonly seconds: number }
  /** Ours by the peer's, pair by pair; the median. */
  readonly ratio: number
  readonly target: number
}

const WIDTH = 760
const LEFT = 16
const BAR = 15
const ROW = 78
const HEAD = 54
const LONGEST = 470

/** Draws comparisons as one SVG that can be read in light and in dark. */
export function drawChart(title: string, rows: readonly Row[], foot: string): string {
  const height = HEAD + rows.length * ROW + 30
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escape(title)}">
<style>
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 16px }
  .name { font-weight: 600 }
  .small { font-size: 12px; fill: #59636e }
  .peer { fill: #8c959f }
  .ours { fill: #1f7a4d }
  .missed { fill: #b3401f }
  .goal { stroke: #1f2328; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117 }
    text { fill: #e6edf3 }
    .small { fill: #9198a1 }
    .peer { fill: #6e7681 }
    .ours { fill: #3fb950 }
    .missed { fill: #f0883e }
    .goal { stroke: #e6edf3 }
  }
</style>
<text class="title" x="${LEFT}" y="28">${escape(title)}</text>
${rows.map((row, index) => drawRow(row, HEAD + index * ROW)).join('\n')}
<text class="small" x="${LEFT}" y="${height - 12}">${escape(foot)}</text>
</svg>
`
}

function drawRow({ name, peer, ours, ratio, target }: Row, y: number): string {
  const scale = LONGEST / Math.max(peer.seconds, ours.seconds, peer.seconds * target)
  const bar = (side: Row['peer'], kind: string, top: number) => {
    const width = Math.max(side.seconds * scale, 1)
    return `<rect class="${kind}" x="${LEFT}" y="${top}" width="${width.toFixed(1)}" height="${BAR}" rx="2"/>
<text class="small" x="${(LEFT + width + 6).toFixed(1)}" y="${top + 12}">${escape(side.name)}: ${side.seconds.toFixed(1)} s</text>`
  }
  const goal = (LEFT + peer.seconds * target * scale).toFixed(1)
  const kept = ratio <= target
  return `<text class="name" x="${LEFT}" y="${y + 12}">${escape(name)}: ${ratio.toFixed(2)} × (at most ${target} ×)</text>
${bar(peer, 'peer', y + 20)}
${bar(ours, kept ? 'ours' : 'missed', y + 39)}
<line class="goal" x1="${goal}" x2="${goal}" y1="${y + 37}" y2="${y + 56}"/>`
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
