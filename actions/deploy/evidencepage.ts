import { type Html, markup, nothing } from '../../src/report/markup.ts'
import { codeLines, fold, type Section } from '../../src/report/page.ts'
import type { Evidence } from '../../src/rollout/evidence/evidence.ts'
import type { DeployReport } from './deployreport.ts'
import type { EvidenceText } from './evidencetexts.ts'

/** What the files of the evidence are, by how their names begin; in this order. */
const FILES: readonly (readonly [RegExp, string])[] = [
  [/^events/, 'Events, all of them'],
  [/^log-.*\.previous\.txt$/, 'Log of the run before'],
  [/^log-/, 'Log'],
  [/^nodes/, 'Conditions of its nodes'],
  [/^difference/, 'What this release changed about it'],
  [/^pod-/, 'A pod as it was'],
  [/^replicaset/, 'Its ReplicaSet as it was'],
  [/^object/, 'The object as it was'],
]

/** What the cluster said, saved before anything was reverted: last words and events to read at once, all else folded. */
export function evidenceSection(
  { evidence }: DeployReport,
  texts: readonly EvidenceText[],
): Section | undefined {
  if (evidence.length === 0) return undefined
  return {
    title: 'Evidence',
    lead: 'What the cluster said, saved before anything was reverted. Values of Secrets are masked.',
    body: evidence.map((one) => partOf(one, texts)),
  }
}

function partOf(
  { object, logs, events, files = [] }: Evidence,
  texts: readonly EvidenceText[],
): Html {
  const own = texts.filter(({ name }) => files.includes(name))
  const isSilent = logs.length + events.length + own.length === 0
  return markup`<h3>${object}</h3>
    ${isSilent ? markup`<p>Nothing was said about it.</p>` : nothing}
    ${logs.length === 0 ? nothing : fold('Last words', codeLines(logs), true)}
    ${events.length === 0 ? nothing : fold('Events', codeLines(events), true)}
    ${FILES.flatMap(([kind, title]) =>
      own
        .filter(({ name }) => FILES.find(([one]) => one.test(baseOf(name)))?.[0] === kind)
        .map(({ name, text }) =>
          fold(markup`${title} <code class="any">${baseOf(name)}</code>`, codeLines([text])),
        ),
    )}`
}

function baseOf(name: string): string {
  return name.split('/').at(-1) ?? name
}
