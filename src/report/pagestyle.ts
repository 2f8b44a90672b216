import { markup } from './markup.ts'

/** The look of a page: light, dark, on a telephone, on paper. Fonts are those of the machine. */
export const PAGE_STYLE = markup`<style>
:root {
  color-scheme: light dark;
  --canvas: #f3f4f6; --panel: #ffffff; --ink: #14181d; --soft: #56606b; --line: #dde1e6; --track: #eef0f3;
  --link: #1f55c4; --code: #f1f3f5;
  --good: #177245; --good-wash: #e9f6ef; --bad: #b3142f; --bad-wash: #fdecef;
  --critical: #8c0f3c; --high: #d9480f; --medium: #b27a00; --low: #3f7cc8; --negligible: #7b8794; --unknown: #6e5aa8;
  --now: #2f66cf; --before: #7f8b98; --wait: #7f8b98; --up: #a6480a; --down: #177245;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --canvas: #0e1116; --panel: #171b21; --ink: #e9ecf0; --soft: #a0abb7; --line: #2a313a; --track: #20262e;
    --link: #8db4ff; --code: #20262e;
    --good: #4cc38a; --good-wash: #12251c; --bad: #ff7a8a; --bad-wash: #2c151a;
    --critical: #f2416f; --high: #ff8f52; --medium: #eec04f; --low: #6ba4f0; --negligible: #7f8b98; --unknown: #a48fe0;
    --now: #6ba0ff; --before: #75818e; --wait: #75818e; --up: #ffa463; --down: #4cc38a;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-behavior: smooth; }
body {
  margin: 0 auto; padding: 2rem 1.5rem 3rem; max-width: 68rem; background: var(--canvas); color: var(--ink);
  font: 0.9375rem/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif;
  overflow-wrap: anywhere;
}
header, section { background: var(--panel); border: 1px solid var(--line); border-radius: 12px; padding: 1.5rem; margin: 0 0 1rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0; letter-spacing: -0.015em; text-wrap: pretty; }
h2 { font-size: 1.0625rem; margin: 0 0 0.25rem; letter-spacing: -0.01em; }
h3 { font-size: 0.9375rem; margin: 1.5rem 0 0.5rem; }
p { margin: 0 0 0.75rem; }
a { color: var(--link); text-underline-offset: 0.15em; }
code, pre { font: 0.8125rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; }
pre { background: var(--code); border-radius: 8px; padding: 0.75rem 1rem; margin: 0.5rem 0 0; overflow-x: auto; white-space: pre-wrap; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }

.verdict { border-top: 4px solid var(--good); }
.verdict.bad { border-top-color: var(--bad); }
.about { display: flex; flex-wrap: wrap; gap: 0 0.5rem; color: var(--soft); font-size: 0.8125rem; margin-bottom: 1rem; }
.about span { font-weight: 600; color: var(--ink); }
.about time { margin-left: auto; }
.said { display: flex; gap: 1rem; align-items: flex-start; }
.icon { flex: none; margin-top: -0.125rem; }
.icon circle { fill: var(--good-wash); stroke: var(--good); stroke-width: 1.5; }
.icon path { fill: none; stroke: var(--good); stroke-width: 3; stroke-linecap: round; stroke-linejoin: round; }
.bad .icon circle { fill: var(--bad-wash); stroke: var(--bad); }
.bad .icon path { stroke: var(--bad); }
.detail { color: var(--soft); margin-top: 0.375rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1rem 1.5rem; margin: 1.5rem 0 0; padding-top: 1.25rem; border-top: 1px solid var(--line); }
.facts dt { color: var(--soft); font-size: 0.8125rem; }
.facts dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums; }
.facts dd code { font-weight: 400; }

nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; list-style: none; margin: 0 0 1rem; padding: 0 1.5rem; font-size: 0.875rem; }
.lead { color: var(--soft); }

.chart { margin: 1rem 0 0; }
.rows { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: minmax(6rem, max-content) minmax(0, 1fr) minmax(7rem, max-content); }
.rows > li { display: grid; grid-column: 1 / -1; grid-template-columns: subgrid; column-gap: 1rem; align-items: center; padding: 0.25rem 0; }
.rows > .group { display: block; padding: 0; }
.group h3 { margin: 1rem 0 0.25rem; }
.rows .label { max-width: 18rem; }
.rows .plot { display: block; line-height: 0; }
.rows .words { font-size: 0.875rem; color: var(--soft); font-variant-numeric: tabular-nums; text-align: right; max-width: 20rem; }
.plot svg { display: block; background: var(--track); border-radius: 3px; overflow: hidden; }
.axis svg { background: none; overflow: visible; }
.axis text { fill: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; }
.grid { stroke: var(--line); stroke-width: 1; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin: 0.75rem 0 0; padding: 0; font-size: 0.8125rem; color: var(--soft); }
.legend li { display: flex; align-items: center; gap: 0.375rem; }
.key { width: 0.75rem; height: 0.75rem; border-radius: 3px; flex: none; display: inline-block; }
.plot rect { stroke: var(--panel); stroke-width: 0.5; }
.plot .span { stroke: currentColor; stroke-width: 1.5; }
.tone-critical { color: var(--critical); } .tone-high { color: var(--high); } .tone-medium { color: var(--medium); }
.tone-low { color: var(--low); } .tone-negligible { color: var(--negligible); } .tone-unknown { color: var(--unknown); }
.tone-now { color: var(--now); } .tone-before { color: var(--before); } .tone-wait { color: var(--wait); }
.tone-good { color: var(--good); } .tone-bad { color: var(--bad); }
rect { fill: currentColor; }
.plus { color: var(--good); } .minus { color: var(--bad); }
.up { color: var(--up); } .down { color: var(--down); }
.severity { display: inline-flex; align-items: center; gap: 0.375rem; white-space: nowrap; }

.scroll { margin-top: 1rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.875rem; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: 0.8125rem; white-space: nowrap; }
th, td { padding: 0.5rem 1rem 0.5rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
tbody tr:last-child td { border-bottom: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td { overflow-wrap: break-word; }
td code { overflow-wrap: anywhere; }
td .any { display: block; min-width: 7.5rem; overflow-wrap: anywhere; }
.word { white-space: nowrap; }
td small, .quiet { color: var(--soft); font-size: 0.8125rem; }
td small { display: block; }
.name { font-weight: 600; }
details { margin-top: 1rem; }
summary { cursor: pointer; font-weight: 600; }
.notes { margin: 0.75rem 0 0; padding-left: 1.25rem; }
footer { color: var(--soft); font-size: 0.8125rem; padding: 0.5rem 1.5rem; }

@media (max-width: 54rem) {
  table, tbody { display: block; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tr { display: block; padding: 0.75rem 0; border-bottom: 1px solid var(--line); }
  tbody tr:last-child { border-bottom: 0; padding-bottom: 0; }
  td, td.number { display: grid; grid-template-columns: 6.5rem minmax(0, 1fr); gap: 0.75rem; padding: 0.125rem 0; border: 0; text-align: left; white-space: normal; }
  td { overflow-wrap: anywhere; }
  td .word { white-space: normal; }
  td::before { content: attr(data-label); color: var(--soft); font-size: 0.8125rem; }
  td:has(> div:empty) { display: none; }
}
@media (max-width: 44rem) {
  body { padding: 0.75rem 0.75rem 2rem; }
  header, section { padding: 1.125rem 1rem; border-radius: 10px; }
  nav ul { padding: 0 1rem; }
  h1 { font-size: 1.25rem; }
  .icon { width: 32px; height: 32px; }
  .said { gap: 0.75rem; }
  .facts { grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: 0.75rem 1rem; }
  .rows { display: block; }
  .rows > li { grid-template-columns: minmax(0, 1fr) auto; row-gap: 0.125rem; padding: 0.375rem 0; }
  .rows .plot { grid-row: 2; grid-column: 1 / -1; }
  .rows .words { max-width: 60vw; }
  .rows .axis { padding-top: 0; }
  .axis .label, .axis .words { display: none; }
}
@media print {
  :root { --canvas: #ffffff; --panel: #ffffff; --ink: #000000; --soft: #444444; --line: #cccccc; --track: #f2f2f2; --code: #f5f5f5; }
  body { padding: 0; max-width: none; font-size: 10pt; }
  header, section { border: 0; border-radius: 0; padding: 0.5rem 0; break-inside: auto; }
  .verdict { border-top: 4px solid; }
  nav { display: none; }
  tr, .rows > li { break-inside: avoid; }
  h2 { break-after: avoid; }
  svg, .key { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  details::details-content { content-visibility: visible; height: auto; }
}
</style>`
