import type { Size } from './growth.ts'

const [WIDTH, HEIGHT] = [760, 300]
const BOX = { left: 60, right: 700, top: 60, bottom: 240 } as const

/** Draws seconds and requests against the number of objects: two lines, each on a scale of its own. */
export function drawCurve(sizes: readonly Size[], day: string): string {
  const most = Math.max(...sizes.map(({ objects }) => objects))
  const x = (objects: number) => BOX.left + ((BOX.right - BOX.left) * objects) / most
  const line = (kind: string, of: (size: Size) => number, unit: string) => {
    const top = Math.max(...sizes.map(of))
    const y = (value: number) => BOX.bottom - ((BOX.bottom - BOX.top) * value) / top
    const points = sizes.map((size) => `${x(size.objects).toFixed(1)},${y(of(size)).toFixed(1)}`)
    const shift = kind === 'calls' ? 18 : -10
    const marks = sizes.map((size) => {
      const [cx, cy] = [x(size.objects), y(of(size))]
      const text = `${of(size).toFixed(kind === 'calls' ? 0 : 1)} ${unit}`
      return `<circle class="${kind}" cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="4"/>
<text class="small" text-anchor="middle" x="${cx.toFixed(1)}" y="${(cy + shift).toFixed(1)}">${text}</text>`
    })
    return `<polyline class="line ${kind}" points="${points.join(' ')}"/>\n${marks.join('\n')}`
  }
  const ticks = sizes.map(
    ({ objects }) =>
      `<text class="small" text-anchor="middle" x="${x(objects).toFixed(1)}" y="${BOX.bottom + 20}">${objects}</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="deploy, time and requests by number of objects">
<style>
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 16px }
  .small { font-size: 12px; fill: #59636e }
  .line { fill: none; stroke-width: 2 }
  .seconds { fill: #1f7a4d; stroke: #1f7a4d }
  .calls { fill: #8c959f; stroke: #8c959f }
  .line.seconds, .line.calls { fill: none }
  .axis { stroke: #8c959f }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117 }
    text { fill: #e6edf3 }
    .small { fill: #9198a1 }
  }
</style>
<text class="title" x="16" y="28">deploy, seconds (green) and requests (grey) by number of objects</text>
<line class="axis" x1="${BOX.left}" x2="${BOX.right}" y1="${BOX.bottom}" y2="${BOX.bottom}"/>
${line('calls', ({ calls }) => calls, 'requests')}
${line('seconds', ({ seconds }) => seconds, 's')}
${ticks.join('\n')}
<text class="small" x="16" y="${HEIGHT - 14}">A first deploy to nodes of kwok, once each, ${day}; the time is mostly that of the cluster's own controllers.</text>
</svg>
`
}
