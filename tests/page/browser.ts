import axe from 'axe-core'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { findBrowser } from '../programs.ts'

export type View = { readonly mode: 'light' | 'dark'; readonly width: number }

/** What a page did besides being shown. */
export type Trouble = { readonly messages: string[]; readonly requests: string[] }

const ADDRESS = 'https://report.example/report.html'

export async function startBrowser(): Promise<Browser> {
  const executablePath = findBrowser() ?? ''
  // Its sandbox does not work for root, which is who runs in a container.
  const chromiumSandbox = process.getuid?.() !== 0
  return await chromium.launch({ executablePath, chromiumSandbox })
}

/** Shows a page, and writes down what it says on the console and what it asks the network for. */
export async function showPage(
  browser: Browser,
  content: string,
  { mode, width }: View,
): Promise<{ readonly page: Page; readonly trouble: Trouble; readonly context: BrowserContext }> {
  const context = await browser.newContext({
    colorScheme: mode,
    viewport: { width, height: 900 },
  })
  const page = await context.newPage()
  const trouble: Trouble = { messages: [], requests: [] }
  page.on('console', (message) => trouble.messages.push(message.text()))
  page.on('pageerror', (error) => trouble.messages.push(error.message))
  page.on('dialog', (dialog) => {
    trouble.messages.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  await context.route('**', async (route) => {
    const address = route.request().url()
    if (address === ADDRESS) {
      await route.fulfill({ body: content, contentType: 'text/html; charset=utf-8' })
      return
    }
    trouble.requests.push(address)
    await route.abort()
  })
  await page.goto(ADDRESS)
  return { page, trouble, context }
}

/** Opens everything that is folded. */
export async function unfold(page: Page): Promise<void> {
  await page.evaluate(`for (const one of document.querySelectorAll('details')) one.open = true`)
}

/** Elements that stand out at the right of the window, but for those in a box that scrolls by itself. */
export async function standingOut(page: Page): Promise<readonly string[]> {
  return await page.evaluate(`
    [...document.body.querySelectorAll('*')]
      .filter((one) => !one.closest('.scroll, svg, thead'))
      .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
      .map((one) => one.outerHTML.slice(0, 120))`)
}

/** By how much the page is wider than the window. */
export async function overflow(page: Page): Promise<number> {
  return await page.evaluate(
    `document.documentElement.scrollWidth - document.documentElement.clientWidth`,
  )
}

/**
 * What axe finds: contrast of text, names, roles, order of titles and the rest of WCAG 2.2 AA. It can't tell what lies behind the text of
 * a drawing; `weakestColour` can.
 */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source)
  return await page.evaluate(`
    axe.run(document, { resultTypes: ['violations', 'incomplete'] }).then(({ violations, incomplete }) =>
      [...violations, ...incomplete.filter(({ id }) => id === 'color-contrast')].flatMap(({ id, nodes }) =>
        nodes.filter(({ html }) => id !== 'color-contrast' || !html.startsWith('<text'))
          .map(({ target, failureSummary }) => id + ' ' + target.join(' ') + ': ' + failureSummary)))`)
}

/** The lowest contrast, against what it lies on, of anything in a drawing that `selector` finds; and what it is. */
export async function weakestColour(
  page: Page,
  selector: string,
): Promise<{ readonly name: string; readonly contrast: number }> {
  return await page.evaluate(`(() => {
    const light = (colour) => {
      const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map((part) => {
        const value = part / 255
        return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const contrast = (a, b) => {
      const [dark, bright] = [light(a), light(b)].sort((x, y) => x - y)
      return (bright + 0.05) / (dark + 0.05)
    }
    const behind = (one) => {
      const colour = getComputedStyle(one).backgroundColor
      return colour === 'rgba(0, 0, 0, 0)' ? behind(one.parentElement) : colour
    }
    const found = [...document.querySelectorAll('${selector}')].map((one) => ({
      name: one.outerHTML.slice(0, 80),
      contrast: contrast(getComputedStyle(one).fill, behind(one)),
    }))
    return found.sort((a, b) => a.contrast - b.contrast)[0]
  })()`)
}

/** Waits until an expression is true in the page; false after five seconds. A busy browser draws a little later than it is told. */
export async function becomesTrue(page: Page, expression: string): Promise<boolean> {
  for (let left = 50; left > 0; left -= 1) {
    if ((await page.evaluate(expression)) === true) return true
    await page.waitForTimeout(100)
  }
  return false
}
