import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { reportBuild, reportRefusal } from '../../actions/build-images/report.ts'
import { UserError } from '../../src/errors.ts'
import { aBuild, aRun } from '../fakes/build.ts'
import { becomesTrue, showPage, startBrowser } from './browser.ts'
import { expectWhole, inEachView } from './whole.ts'

const LONG = 'a'.repeat(400)
const published = reportBuild(aBuild(), aRun())
const stopped = reportBuild(
  aBuild({ stops: 12, why: { backend: `built, since file ${LONG} changed` } }),
  aRun(),
)
const refused = reportRefusal(new UserError(`The image api did not build: ${LONG}`, [LONG]), aRun())

const pages = [
  { name: 'of a published release', result: published },
  { name: 'of a release that the scan stopped', result: stopped },
  { name: 'of a build that failed', result: refused },
].map(({ name, result }) => ({ name, content: result.files?.['report-page']?.content ?? '' }))

let browser: Browser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(async () => {
  await browser.close()
})

describe('the report page', () => {
  it.each(inEachView(pages))(
    '$name is whole, $mode and $width px wide',
    async ({ content, ...view }) => {
      await expectWhole(browser, content, view)
    },
  )

  it('shows on paper what is folded, dark on light whatever the machine prefers', async () => {
    const { page, context } = await showPage(browser, pages[1]?.content ?? '', {
      mode: 'dark',
      width: 1200,
    })
    const shown = `[...document.querySelectorAll('details:not([open]) td')].some((one) => one.checkVisibility({ contentVisibilityAuto: true }) && one.getBoundingClientRect().height > 0)`
    expect(await page.evaluate(shown)).toBe(false)
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    expect(await becomesTrue(page, shown)).toBe(true)
    const ink = `getComputedStyle(document.body).color + ' on ' + getComputedStyle(document.body).backgroundColor`
    expect(await page.evaluate(ink)).toBe('rgb(0, 0, 0) on rgb(255, 255, 255)')
    await context.close()
  })

  it('runs and loads nothing even where markup of others has got into it', async () => {
    const planted =
      '<script>alert(1)</script><img src="https://spy.example/a.png" onerror="alert(2)"><link rel="stylesheet" href="https://spy.example/a.css"><form action="https://spy.example/"><button>x</button></form>'
    const content = (pages[0]?.content ?? '').replace('<main>', `<main>${planted}`)
    const view = { mode: 'light', width: 1200 } as const
    const { page, trouble, context } = await showPage(browser, content, view)
    await page.evaluate(`document.querySelector('form button').click()`)
    expect(trouble.requests).toEqual([])
    expect(trouble.messages.join('\n')).not.toContain('a dialog')
    expect(trouble.messages.join('\n')).toMatch(/script.*Content Security Policy/s)
    expect(page.url()).toBe('https://report.example/report.html')
    await context.close()
  })

  it('leads from its list of sections to each of them', async () => {
    const view = { mode: 'light', width: 360 } as const
    const { page, context } = await showPage(browser, pages[0]?.content ?? '', view)
    const dead = `[...document.querySelectorAll('nav a')].filter((one) => document.querySelector('[id="' + decodeURIComponent(one.hash.slice(1)) + '"]') === null).length`
    expect(await page.evaluate(`document.querySelectorAll('nav a').length`)).toBeGreaterThan(5)
    expect(await page.evaluate(dead)).toBe(0)
    await context.close()
  })
})
