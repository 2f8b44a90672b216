import { expect } from '@jest/globals'
import type { Browser } from 'playwright-core'
import {
  accessibilityFaults,
  overflow,
  showPage,
  standingOut,
  unfold,
  weakestColour,
} from './browser.ts'

/** The least contrast that WCAG 2.2 asks for: of what is not text (1.4.11), and of text (1.4.3). */
const OF_SHAPES = 3
const OF_TEXT = 4.5

type Page = { readonly name: string; readonly content: string }
type View = Parameters<typeof showPage>[2]

const views: readonly View[] = [
  { mode: 'light', width: 360 },
  { mode: 'dark', width: 360 },
  { mode: 'light', width: 1200 },
  { mode: 'dark', width: 1200 },
]

/** Each page as a telephone and a desk show it, by day and by night. */
export function inEachView(pages: readonly Page[]): readonly (Page & View)[] {
  return pages.flatMap((page) => views.map((view) => ({ ...page, ...view })))
}

/** Nothing sticks out or is too pale, nobody is shut out, and the page asks for nothing and runs nothing. */
export async function expectWhole(browser: Browser, content: string, view: View): Promise<void> {
  const { page, trouble, context } = await showPage(browser, content, view)
  await unfold(page)
  expect(await overflow(page)).toBe(0)
  expect(await standingOut(page)).toEqual([])
  expect(await accessibilityFaults(page)).toEqual([])
  expect((await weakestColour(page, 'rect')).contrast).toBeGreaterThanOrEqual(OF_SHAPES)
  expect((await weakestColour(page, 'svg text')).contrast).toBeGreaterThanOrEqual(OF_TEXT)
  expect(trouble).toEqual({ messages: [], requests: [] })
  await context.close()
}
