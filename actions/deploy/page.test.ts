import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { aDeploy } from '../../tests/fakes/deploy.ts'
import type { DeployReport } from './deployreport.ts'
import { deployPage, verdictOf } from './page.ts'

const HOSTILE = '<script>alert(1)</script>'

/** Titles of the sections, in their order. */
function titles(page: string): readonly string[] {
  return [...page.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, title]) => title ?? '')
}

describe('the first line of a page', () => {
  const cases: readonly {
    readonly name: string
    readonly of: Partial<DeployReport>
    readonly line: string
  }[] = [
    { name: 'a deploy', of: {}, line: 'Deployed to dev in 12 s' },
    {
      name: 'one that had nothing to do',
      of: { outcome: 'unchanged' },
      line: 'Nothing to do: dev is as the release has it',
    },
    { name: 'a plan', of: { outcome: 'planned' }, line: '2 objects would change in dev' },
    {
      name: 'an empty plan',
      of: { outcome: 'planned', changes: [] },
      line: 'Nothing would change in dev',
    },
    {
      name: 'a rollback',
      of: { outcome: 'rolled-back', failure: 'web crashes; mend it' },
      line: 'Rolled back: web crashes; mend it',
    },
    {
      name: 'a failure without a way back',
      of: { outcome: 'failed', failure: 'web crashes; mend it' },
      line: 'Failed: web crashes; mend it',
    },
    {
      name: 'a canary that nobody can judge',
      of: { outcome: 'inconclusive', message: 'too few answers' },
      line: 'Not decided: too few answers',
    },
  ]
  it.each(cases)('says it of $name', ({ of, line }) => {
    expect(verdictOf(aDeploy(of))).toBe(line)
  })
})

describe('the page of a deploy', () => {
  it('has what changed, when, and what came of it', () => {
    expect(titles(deployPage(aDeploy()))).toEqual([
      ...['Images', 'Timeline', 'Workloads', 'Changes', 'What may lose requests', 'Time'],
    ])
  })

  it('has the evidence first where it failed, with the files behind it', () => {
    const evidence = [
      {
        object: 'Deployment todo/web',
        logs: ['boom'],
        events: ['BackOff: again'],
        files: ['web/nodes.txt'],
      },
    ]
    const report = aDeploy({ outcome: 'rolled-back', failure: 'web crashes', evidence })
    const texts = [
      { name: 'web/nodes.txt', text: 'MemoryPressure: True' },
      { name: 'other/nodes.txt', text: 'of another object' },
    ]
    const page = deployPage(report, { texts })
    expect(titles(page)[0]).toBe('Evidence')
    for (const text of [
      'boom',
      'BackOff: again',
      'MemoryPressure: True',
      'Conditions of its nodes',
    ])
      expect(page).toContain(text)
    expect(page).not.toContain('of another object')
  })

  it('says from which digest to which each image went', () => {
    const page = deployPage(aDeploy())
    expect(page).toContain(`web@sha256:${'1'.repeat(12)}`)
    expect(page).toContain(`web@sha256:${'2'.repeat(12)}`)
    expect(page).toContain('1 of 2 images differs')
  })

  it('draws each pod from its making to its end, on one line of time', () => {
    const page = deployPage(aDeploy())
    const spans = [
      ...page.matchAll(
        /<rect class="tone-(\w+) span" x="([\d.]+)%" [^>]*width="([\d.]+)%"[^>]*><title>(.*?)<\/title>/g,
      ),
    ]
    const drawn = spans.map(([, tone, x, width, text]) => `${tone} ${x} ${width} ${text}`)
    expect(drawn).toEqual(
      expect.arrayContaining([
        'wait 10 10 waits for a node: 1 s',
        'medium 20 20 pulls images: 2 s',
        'now 50 10 gets ready: 1 s',
        'good 60 40 ready: 4 s',
        // Of a pod of before: what was before the first write is cut off.
        'good 0 60 ready: 15 min 06 s',
        'high 60 20 ends: 2 s',
        'before 0 50 web leads to as before',
      ]),
    )
  })

  it('counts the requests that were lost where they were asked for', () => {
    const side = { answers: 30, errors: 0, p95: 12.4, restarts: 0 }
    const comparison = {
      ...{ at: aDeploy().at, workload: 'web', step: 25, share: 24.6, reasons: ['fine'] },
      ...{ verdict: 'fail' as const, canary: { ...side, errors: 7 }, baseline: side },
    }
    const { timeline } = aDeploy()
    if (timeline === null) throw new Error('no timeline')
    const page = deployPage(aDeploy({ timeline: { ...timeline, comparisons: [comparison] } }))
    expect(page).toContain('7 of 60 asked')
    expect(page).toContain('7 of 30 lost')
    expect(page).toContain('p95 12 ms')
    expect(deployPage(aDeploy())).not.toContain('Requests lost')
  })

  it('takes no text of others for markup', () => {
    const changes = [
      {
        object: HOSTILE,
        action: 'update',
        taken: [],
        fields: ['.a'],
        values: [{ path: '.a', before: HOSTILE, after: HOSTILE + '2' }],
      },
    ] as const
    const evidence = [{ object: HOSTILE, logs: [HOSTILE], events: [HOSTILE] }]
    const page = deployPage(
      aDeploy({
        failure: HOSTILE,
        outcome: 'failed',
        changes,
        evidence,
        warnings: [HOSTILE],
        namespace: HOSTILE,
      }),
    )
    expect(page).not.toContain('<script')
    expect(page.split('&lt;script&gt;').length).toBeGreaterThan(8)
  })

  it('shows Secrets of a real deploy masked', () => {
    const file = new URL('../../tests/page/recorded/rolling.json', import.meta.url)
    const text = readFileSync(file, 'utf8')
    expect(text).toContain('Secret todo-recorded/shop')
    // As record.ts has written them.
    expect(text).not.toMatch(/secret-of-\d/)
  })
})
