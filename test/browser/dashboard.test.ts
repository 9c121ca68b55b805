import { readFileSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { password, startGraph, type TestGraph } from '../support/graph'
import { barriers, launch, openPage, screenshot, type Stage } from './stage'

let graph: TestGraph
let browser: Browser
let stage: Stage | undefined

beforeAll(async () => {
  graph = await startGraph({ demo: true, env: { DEMO_PASSWORD: password } })
  browser = await launch()
})
afterEach(async () => {
  await stage?.page.context().close()
  stage = undefined
})
afterAll(async () => {
  await browser.close()
  await graph.close()
})

/** Opens the dashboard as somebody of the demo, and waits until every card has its figures. */
async function look(as: string, looks: Parameters<typeof openPage>[2] = {}): Promise<Stage> {
  stage = await openPage(browser, new URL('/dashboard', graph.server.url).href, looks)
  const { page } = stage
  await page.getByRole('button', { name: as }).click()
  await page.locator('.card').first().waitFor()
  await settled()
  return stage
}

async function settled(): Promise<void> {
  while ((await stage!.page.locator('.card[aria-busy]').count()) > 0) await stage!.page.waitForTimeout(50)
}

const titles = () => stage!.page.locator('.card h3').allTextContents()
const card = (title: string) =>
  stage!.page.locator('.card', { has: stage!.page.getByRole('heading', { name: title, exact: true }) })

test('an administrator sees all there is, right figures, and nothing keeps anybody out', async () => {
  const { page, complaints, origins } = await look('admin of acme')
  await screenshot(page, 'dashboard-acme', true)
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Acme Corporation')
  expect(await titles()).toEqual([
    'Income',
    'Spending',
    'Spending by category',
    'Bills of the platform',
    'Customers by segment',
    'Contacts',
    'Open tickets by priority',
    'Headcount by department',
    'Average salary by department',
    'Leave that begins, in days',
    'Cases by status',
    'Open alerts by severity',
    'Calls of the API',
  ])
  expect(await page.locator('.fault').count()).toBe(0)
  const { employeeSummary } = await (
    await graph.demo('acme', 'admin')
  ).data<{
    employeeSummary: {
      groups: { key: { department: { name: string } | null }; count: number }[]
      total: { count: number }
    }
  }>(
    '{ employeeSummary(filter: { isActive: { eq: true } }, groupBy: [DEPARTMENT], orderBy: { field: COUNT, direction: DESC }, first: 8) { groups { key { department { name } } count } total { count } } }',
  )
  const headcount = card('Headcount by department')
  expect(await headcount.locator('strong').textContent()).toBe(String(employeeSummary.total.count))
  expect(await headcount.locator('.label').allTextContents()).toEqual(
    employeeSummary.groups.map(({ key }) => key.department?.name ?? 'None'),
  )
  expect(await headcount.locator('.value').allTextContents()).toEqual(
    employeeSummary.groups.map(({ count }) => String(count)),
  )
  expect(await barriers(page)).toEqual([])
  for (const period of ['30 days', '13 weeks']) {
    await page.getByText(period, { exact: true }).click()
    await settled()
    expect([period, await page.locator('.fault').count()]).toEqual([period, 0])
  }
  expect(await page.evaluate('JSON.stringify({ ...localStorage, ...sessionStorage })')).not.toMatch(/eyJ/)
  expect([...origins]).toEqual([new URL(graph.server.url).origin])
  expect(complaints).toEqual([])
})

test('a figure opens its rows, and the file has all of them', async () => {
  const { page, complaints } = await look('admin of acme')
  const bar = card('Customers by segment').locator('.bars button').first()
  const segment = (await bar.locator('.label').textContent())!
  await bar.click()
  await page.getByText(/The first 25 of \d+|\d+ in all/).waitFor()
  await screenshot(page, 'dashboard-rows')
  expect(await page.locator('#rows-title').textContent()).toBe(`Customers by segment · ${segment}`)
  expect(await barriers(page)).toEqual([])
  const count = Number(/(\d+)(?: in all)?$/.exec((await page.locator('#rows-count').textContent())!)![1])
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download CSV' }).click(),
  ])
  const text = readFileSync(await download.path(), 'utf8')
  const lines = text.trimEnd().split('\r\n')
  expect(lines[0]).toBe(
    '\ufefffullName,company,segment,lifetimeValue.amount,lifetimeValue.currency,lastSeenAt',
  )
  expect(lines.length).toBe(count + 1)
  expect(lines.slice(1).every((line) => line.includes(segment))).toBe(true)
  // What was exported is told of whom.
  const { rows } = await graph.owner.query(
    `SELECT changes->'export'->>'rows' AS rows FROM shared.audit_logs WHERE action = 'EXPORT' AND resource_type = 'Customer'`,
  )
  expect(rows).toEqual([{ rows: String(count) }])
  await page.getByRole('button', { name: 'Close' }).click()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'How is the business today?' }).waitFor()
  expect(await page.locator('.card').count()).toBe(0)
  expect(complaints).toEqual([])
})

test('another tenant’s viewer sees that tenant, fewer cards, on a telephone in the dark', async () => {
  const { page, complaints } = await look('viewer of globex', {
    width: 375,
    height: 800,
    colorScheme: 'dark',
  })
  await screenshot(page, 'dashboard-globex-phone', true)
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Globex 製薬株式会社')
  const permissions = new Set(
    (
      await (
        await graph.demo('globex', 'viewer')
      ).data<{ viewer: { permissions: string[] } }>('{ viewer { permissions } }')
    ).viewer.permissions,
  )
  const shown = await titles()
  expect(shown).not.toContain('Average salary by department')
  expect(shown.includes('Income')).toBe(permissions.has('finance:transaction:read'))
  expect(shown.includes('Headcount by department')).toBe(permissions.has('hr:employee:read'))
  expect(shown.includes('Open alerts by severity')).toBe(permissions.has('compliance:alert:read'))
  expect(await page.locator('.fault').count()).toBe(0)
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(375)
  expect(await barriers(page)).toEqual([])
  expect(complaints).toEqual([])
})

test('a question that fails is told in its card alone, and asked again; a person of HR is shown no income', async () => {
  stage = await openPage(browser, new URL('/dashboard', graph.server.url).href)
  const { page } = stage
  let failures = 1
  await page.route('**/graphql', (route) =>
    route.request().postData()?.includes('query Headcount') && failures-- > 0
      ? route.fulfill({
          status: 200,
          json: { errors: [{ message: 'Part of the service does not answer. Try again.' }] },
        })
      : route.continue(),
  )
  await page.getByRole('button', { name: 'hr of acme' }).click()
  await page.locator('.card').first().waitFor()
  await settled()
  const headcount = card('Headcount by department')
  expect(await headcount.locator('.fault p').textContent()).toBe(
    'Part of the service does not answer. Try again.',
  )
  await screenshot(page, 'dashboard-fault')
  expect(await page.locator('.fault').count()).toBe(1)
  await headcount.getByRole('button', { name: 'Try again' }).click()
  await headcount.locator('strong').waitFor()
  expect(await page.locator('.fault').count()).toBe(0)
  expect(await titles()).toContain('Average salary by department')
})

test('the first page leads on, the reference and it keep nobody out', async () => {
  stage = await openPage(browser, new URL('/', graph.server.url).href)
  const { page, complaints, origins } = stage
  await screenshot(page, 'landing')
  expect(await barriers(page)).toEqual([])
  await page.getByRole('link', { name: /^Reference/ }).click()
  await page.getByLabel('Search').fill('invoice')
  await page.getByText(/\d+ found/).waitFor()
  await screenshot(page, 'reference')
  await page.goBack()
  await page.getByRole('link', { name: /^Dashboard/ }).click()
  await page.getByRole('heading', { name: 'How is the business today?' }).waitFor()
  await screenshot(page, 'dashboard-welcome')
  expect(await barriers(page)).toEqual([])
  expect([...origins]).toEqual([new URL(graph.server.url).origin])
  expect(complaints).toEqual([])
})
