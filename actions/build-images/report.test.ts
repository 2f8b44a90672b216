import { describe, expect, it } from '@jest/globals'
import { aBuild, aRun, HOSTILE } from '../../tests/fakes/build.ts'
import { aFinding } from '../../tests/fakes/findings.ts'
import { UserError } from '../../src/errors.ts'
import { describeBuild, verdictOf } from './buildreport.ts'
import { buildPage } from './page.ts'
import { reportBuild, reportRefusal } from './report.ts'
import { buildSummary } from './summary.ts'
import { changeOf, groupFindings } from './words.ts'

const pageOf = (given?: Parameters<typeof aBuild>[0]) =>
  reportBuild(aBuild(given), aRun()).files?.['report-page']?.content ?? ''

describe('the verdict', () => {
  const verdict = (given: Parameters<typeof aBuild>[0]) =>
    verdictOf(describeBuild(aBuild(given), aRun(), []))

  it.each([
    { given: {}, words: 'Published: all 5 images passed the scan; 2 built, 3 unchanged' },
    {
      given: { built: [] },
      words: 'Published: all 5 images passed the scan; nothing had changed, so nothing was built',
    },
    {
      given: { outcome: 'built' as const },
      words: 'Not published, as asked: all 5 images passed the scan; 2 built, 3 unchanged',
    },
    {
      given: { stops: 1 },
      words: 'Nothing was published: a finding in backend stops the release',
    },
    {
      given: { stops: 2 },
      words: 'Nothing was published: 2 findings in backend, ai-agent stop the release',
    },
  ])('is "$words"', ({ given, words }) => {
    expect(verdict(given)).toBe(words)
  })

  it('is the first line of the summary, and the title of the page', () => {
    const { summary } = reportBuild(aBuild({ stops: 2 }), aRun())
    expect(summary.split('\n')[0]).toBe(
      '## ✗ Nothing was published: 2 findings in backend, ai-agent stop the release',
    )
    expect(pageOf({ stops: 2 })).toContain(
      '<h1>Nothing was published: 2 findings in backend, ai-agent stop the release</h1>',
    )
  })
})

describe('the page', () => {
  it('takes no text of others for markup', () => {
    const page = pageOf({ stops: 3 })
    expect(page).toContain('&lt;script&gt;alert(1)')
    expect(page).not.toMatch(/<script|<img|onerror="/)
    expect(page.replace(/href="https:\/\/[^"]*"/g, '')).not.toMatch(/\s(?:src|href)="(?!#)/)
  })

  it('says what stops, what fixes it, where it comes in, and why others are ignored', () => {
    const page = pageOf({ stops: 3 })
    expect(page).toContain('These stop the release: 3')
    expect(page).toContain('3.0.18-1~deb12u1')
    expect(page).toContain('docker/backend/Dockerfile:7, FROM python:3.11-slim')
    expect(page).toContain('docker/ai-agent/Dockerfile:12, COPY --from=build /opt/venv /opt/venv')
    expect(page).toContain('(security@example.com, until 2026-12-31)')
  })

  it('says how sizes changed, what is not known, and what the bases are', () => {
    const page = pageOf()
    expect(page).toContain('▲ +1.5 MB (1.3 %)')
    expect(page).toContain('▼ −4.6 MB (2.8 %)')
    expect(page).toContain('the same bytes')
    expect(page).toContain('no earlier one')
    expect(page).toContain('would fix 2 in backend, 2 in ai-agent')
  })

  it('says how to verify it where it is published and signed, and only there', () => {
    expect(pageOf()).toContain('cosign verify-attestation')
    expect(pageOf()).toContain('BEGIN PUBLIC KEY')
    expect(pageOf({ stops: 1 })).not.toContain('cosign')
    const unsigned = describeBuild(aBuild(), { ...aRun(), trust: undefined }, [])
    expect(buildPage(unsigned)).not.toContain('cosign')
  })

  it('is there where a build fails: with the cause, the last words and how far it came', () => {
    const run = aRun()
    const error = new UserError('The image api did not build at Dockerfile:2: <exit 42>', ['boom'])
    const steps = run.steps
      .slice(0, 3)
      .map((step, index) => (index === 2 ? ({ ...step, state: 'failed' } as const) : step))
    const { files, summary, status } = reportRefusal(error, { ...run, steps })
    const page = files?.['report-page']?.content ?? ''
    expect(page).toContain('<h1>The image api did not build at Dockerfile:2: &lt;exit 42&gt;</h1>')
    expect(page).toContain('No release and no tag was published.')
    expect(page).toContain('boom')
    expect(page).toContain('2 of 3')
    expect(summary).toMatch(/^## ✗ The image api did not build at Dockerfile:2: \\<exit 42\\>\n/)
    expect(status).toBe(2)
  })

  it('does not say that nothing was published where the release was, and the tags of images were not', () => {
    const { files } = reportRefusal(new UserError('The registry is gone'), aRun())
    expect(files?.['report-page']?.content).toContain('The release is published')
  })

  it('is not made of faults of our own', () => {
    expect(() => reportRefusal(new TypeError('ours'), aRun())).toThrow('ours')
  })
})

describe('very many findings', () => {
  const findings = Array.from({ length: 20_000 }, (_, index) => ({
    image: 'backend',
    finding: aFinding({ id: `CVE-2020-${index}`, severity: 'low', description: HOSTILE }),
    decision: { kind: 'passes', why: 'below-threshold' } as const,
  }))
  const report = describeBuild(aBuild({ judgement: { findings, notes: [] } }), aRun(), [])

  it('do not make the summary larger than GitHub shows', () => {
    const summary = buildSummary(report)
    expect(Buffer.byteLength(summary)).toBeLessThan(1024 * 1024)
    expect(summary).toMatch(/… and \d+ more findings, left out/)
    expect(summary).toContain('</details>')
  })

  it('do not make the page endless, which says so', () => {
    const page = buildPage(report)
    expect(page).toContain('18000 more rows are left out here')
    expect(page.length).toBeLessThan(3_000_000)
  })
})

describe('annotations', () => {
  it('stand on the line that a finding comes in by, one for all findings of a line', () => {
    const { annotations = [] } = reportBuild(aBuild({ stops: 5 }), aRun())
    expect(annotations.map(({ title, place }) => `${place.file}:${place.line} ${title}`)).toEqual([
      'docker/backend/Dockerfile:7 3 findings stop the release',
      'docker/ai-agent/Dockerfile:12 2 findings stop the release',
    ])
    expect(annotations[0]?.message).toMatch(
      /^The image that is named here has:\nbackend: critical CVE-2026-1000 in openssl 3.0.17-1~deb12u2 \(fixed in 3.0.18-1~deb12u1\)\n/,
    )
    expect(annotations[1]?.message).toMatch(/^This step brings in:\n/)
  })

  it('are not made up where no Dockerfile is known', () => {
    const { annotations, details } = reportBuild(aBuild({ stops: 5, origins: new Map() }), aRun())
    expect(annotations).toEqual([])
    expect(details).toHaveLength(5)
  })
})

describe('findings of several images', () => {
  it('are one where only the image differs', () => {
    const { judged } = describeBuild(aBuild({ stops: 1 }), aRun(), [])
    const [first] = judged
    if (first === undefined) throw new Error('the build has findings')
    const other = { ...first, image: 'frontend', origin: null }
    const newer = { ...other, version: '9' }
    const groups = groupFindings([first, other, newer])
    expect(groups.map(({ images }) => images)).toEqual([['backend', 'frontend'], ['frontend']])
    expect(groups[0]?.origins).toHaveLength(1)
  })
})

describe('the change of a size', () => {
  it.each([
    { now: 5, before: undefined, text: 'no earlier one' },
    { now: 5, before: 5, text: 'no change' },
    { now: 3_000_000, before: 2_000_000, text: '▲ +1.0 MB (50.0 %)' },
    { now: 1_000_000, before: 2_000_000, text: '▼ −1.0 MB (50.0 %)' },
    { now: 1000, before: 0, text: '▲ +1 kB' },
  ])('from $before to $now is "$text"', ({ now, before, text }) => {
    expect(changeOf(now, before).text).toBe(text)
  })
})
