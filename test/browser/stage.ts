import { join } from 'node:path'
import axe from 'axe-core'
import { chromium, type Browser, type Page } from 'playwright-core'

/** A page with what the browser complained about, violations of its policy among it, and the origins that were asked. */
export interface Stage {
  page: Page
  complaints: string[]
  origins: Set<string>
}

export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium' })

export async function openPage(
  browser: Browser,
  url: string,
  looks: { width?: number; height?: number; colorScheme?: 'light' | 'dark' } = {},
): Promise<Stage> {
  const { width = 1280, height = 900, colorScheme = 'light' } = looks
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    reducedMotion: 'reduce',
  })
  // jest's time limit ends what takes too long.
  context.setDefaultTimeout(0)
  const page = await context.newPage()
  const complaints: string[] = []
  const origins = new Set<string>()
  page.on('console', (line) => void (line.type() === 'error' && complaints.push(line.text())))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url())) origins.add(new URL(request.url()).origin)
  })
  await page.goto(url)
  return { page, complaints, origins }
}

/** What axe finds that keeps somebody out, by rule and place. The page's policy would not let it in as a script of the page. */
export async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  return page.evaluate<string[]>(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ target }) => id + ' ' + target.join(' '))))`,
  )
}

/** Keeps a picture in the folder that SCREENSHOTS names. */
export async function screenshot(page: Page, name: string, fullPage = false): Promise<void> {
  const folder = process.env.SCREENSHOTS
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`), fullPage })
}
