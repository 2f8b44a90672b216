import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { deployPage } from '../../actions/deploy/page.ts'
import { reportRefusedDeploy } from '../../actions/deploy/report.ts'
import { reportPromotion } from '../../actions/promote/report.ts'
import { reportVerdict } from '../../actions/verify/report.ts'
import { UserError } from '../../src/errors.ts'
import { judgeVerdicts } from '../../src/promote/gates.ts'
import { aDeploy } from '../fakes/deploy.ts'
import { aPromotion } from '../fakes/promotion.ts'
import { showPage, startBrowser } from './browser.ts'
import { expectWhole, inEachView } from './whole.ts'
import type { Recorded } from './record.ts'

const LONG = 'a'.repeat(300)

const past = { at: new Date('2026-11-21T12:00:00Z'), seconds: 2, steps: aDeploy().steps }

function recorded(name: string): Recorded {
  const file = join(import.meta.dirname, 'recorded', `${name}.json`)
  return JSON.parse(readFileSync(file, 'utf8')) as Recorded
}

function pageOf(name: string): string {
  const { report, texts } = recorded(name)
  return deployPage(report, { texts })
}

/** A refusal is told in the words of a real one. */
function refusal(): string {
  const said = recorded('refused').report as unknown as Record<'message', string> & {
    readonly details: readonly string[]
  }
  const result = reportRefusedDeploy(new UserError(said.message, said.details), past)
  return result.files?.['report-page']?.content ?? ''
}

function verdict(): string {
  const check = { check: 'http', name: `${LONG}/health`, detail: LONG, seconds: 0.2 }
  const result = reportVerdict(
    {
      ...{ version: 1, release: `registry.example/${LONG}`, environment: 'dev', namespace: 'todo' },
      ...{ profile: 'smoke', complete: true, verdict: 'fail', at: '2026-11-21T12:00:00Z' },
      checks: [
        { ...check, status: 'pass' },
        { ...check, check: 'dns', status: 'inconclusive' },
        { ...check, check: 'images', status: 'fail' },
      ],
      seconds: 3,
    },
    past.steps,
  )
  return result.files?.['report-page']?.content ?? ''
}

function promotion(): string {
  const gates = [judgeVerdicts([], 'staging'), judgeVerdicts([], LONG)]
  const result = reportPromotion(aPromotion({ gates, actor: LONG, reason: LONG }), past)
  return result.files?.['report-page']?.content ?? ''
}

const pages = [
  { name: 'a rolling deploy', content: pageOf('rolling') },
  { name: 'one that failed and was rolled back', content: pageOf('rolled-back') },
  { name: 'one that was refused', content: refusal() },
  { name: 'a canary', content: pageOf('canary') },
  { name: 'a canary that was worse', content: pageOf('canary-worse') },
  { name: 'blue-green', content: pageOf('blue-green') },
  {
    name: 'one with long names',
    content: deployPage(
      aDeploy({
        failure: LONG,
        outcome: 'failed',
        namespace: LONG,
        warnings: [LONG],
        release: LONG,
      }),
    ),
  },
  { name: 'a promotion', content: promotion() },
  { name: 'a verdict', content: verdict() },
]

let browser: Browser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(async () => {
  await browser.close()
})

describe('the page of a deploy', () => {
  it.each(inEachView(pages))(
    'of $name is whole, $mode and $width px wide',
    async ({ content, ...view }) => {
      await expectWhole(browser, content, view)
    },
  )

  it('of a promotion says what its gates say', async () => {
    const view = { mode: 'light', width: 1200 } as const
    const { page, context } = await showPage(browser, promotion(), view)
    const text = await page.locator('body').innerText()
    expect(text).toContain('✗ closed')
    expect(text).toContain(judgeVerdicts([], 'staging').why)
    await context.close()
  })

  it('draws all bars of a timeline on one scale, whatever the names beside them', async () => {
    const view = { mode: 'light', width: 1200 } as const
    const { page, context } = await showPage(browser, pages[0]?.content ?? '', view)
    const plots: readonly string[] = await page.evaluate(
      `[...document.querySelectorAll('[id$="timeline"] .plot')].map((one) => { const { left, right } = one.getBoundingClientRect(); return Math.round(left) + '-' + Math.round(right) })`,
    )
    expect(plots.length).toBeGreaterThan(8)
    expect(new Set(plots).size).toBe(1)
    await context.close()
  })
})
