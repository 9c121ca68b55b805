import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { codeAt } from '../support/authenticator'
import { password, startGraph, type TestGraph } from '../support/graph'
import { userErrors } from '../support/lists'

const operations = join(__dirname, '../operations')

let graph: TestGraph
let browser: Browser
let page: Page
/** What the browser complained about, violations of the content security policy among it. */
let complaints: string[]
/** Origins that something was asked from. */
let origins: Set<string>

beforeAll(async () => {
  graph = await startGraph({ demo: true, env: { DEMO_PASSWORD: password } })
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium' })
})
afterAll(async () => {
  await browser.close()
  await graph.close()
})

beforeEach(async () => open({ width: 1280, height: 800 }))
afterEach(() => page.context().close())

async function open(viewport: { width: number; height: number }): Promise<void> {
  const context = await browser.newContext({ viewport })
  // jest's time limit ends what takes too long.
  context.setDefaultTimeout(0)
  page = await context.newPage()
  complaints = []
  origins = new Set()
  page.on('console', (line) => void (line.type() === 'error' && complaints.push(line.text())))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    if (!request.url().startsWith('data:')) origins.add(new URL(request.url()).origin)
  })
  await page.goto(graph.server.url)
  await page.locator('.graphiql-query-editor .CodeMirror').waitFor()
}

async function signIn(secret = password, email = 'admin@acme.example'): Promise<void> {
  await page.getByLabel('Tenant').fill('acme')
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password').fill(secret)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

async function type(query: string): Promise<void> {
  await page.locator('.graphiql-query-editor .CodeMirror').click()
  await page.keyboard.press('Control+A')
  await page.keyboard.insertText(query)
}

/** Asks until the text matches; the page's policy forbids Playwright to do so inside the page. */
async function until(text: () => Promise<string>, expected: RegExp): Promise<string> {
  for (;;) {
    const now = await text()
    if (expected.test(now)) return now
    await page.waitForTimeout(50)
  }
}

/** Runs what is in the editor and gives the answer as the page shows it. */
async function run(): Promise<{ data?: Record<string, unknown> | null; errors?: { message: string }[] }> {
  await page.evaluate("document.querySelector('.result-window .CodeMirror').CodeMirror.setValue('')")
  await page.getByRole('button', { name: /execute query/i }).click()
  const shown = "document.querySelector('.result-window .CodeMirror').CodeMirror.getValue()"
  const answer = await until(() => page.evaluate<string>(shown), /\}\s*$/)
  return JSON.parse(answer) as Awaited<ReturnType<typeof run>>
}

async function screenshot(name: string): Promise<void> {
  const folder = process.env.SCREENSHOTS
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`) })
}

const whoAmI = 'query WhoAmI { viewer { email } }'
const nobody = { data: { viewer: null }, errors: [{ message: 'Sign in first' }] }
const admin = { data: { viewer: { email: 'admin@acme.example' } } }

test('a typed query answers with rows after signing in, and no longer after signing out', async () => {
  await type(whoAmI)
  expect(await run()).toMatchObject(nobody)
  await signIn()
  await page.getByText('admin@acme.example of acme').waitFor()
  expect(await run()).toEqual(admin)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
  expect(await run()).toMatchObject(nobody)
  expect(complaints).toEqual([])
})

test('a wrong password is explained and signs nobody in', async () => {
  await signIn('wrong password')
  await expect(page.getByRole('status').filter({ hasText: /\S/ }).textContent()).resolves.toMatch(/password/i)
  await type(whoAmI)
  expect(await run()).toMatchObject(nobody)
})

test('an access token that has ended is renewed without asking', async () => {
  await signIn()
  await page.getByText('admin@acme.example of acme').waitFor()
  await type(whoAmI)
  graph.clock.advance({ minutes: 16 })
  expect(await run()).toEqual(admin)
  await page.reload()
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
})

test('a second factor is asked for, a wrong code told, and the device is known from then on', async () => {
  const email = 'hr@acme.example'
  const owner = await graph.demo('acme', 'hr')
  const { enrollTotp } = await owner.data<{ enrollTotp: { mfaDevice: { id: string }; secret: string } }>(
    'mutation { enrollTotp(input: { label: "Telephone" }) { mfaDevice { id } secret } }',
  )
  const code = () => codeAt(enrollTotp.secret, graph.clock.now())
  const input = { id: enrollTotp.mfaDevice.id, code: code() }
  expect(await userErrors(owner, 'confirmMfaDevice', input)).toEqual([])
  graph.clock.advance({ seconds: 30 })

  await signIn(password, email)
  await page.getByLabel('Code').fill('000000')
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByText('The code is wrong').waitFor()
  await page.getByLabel('Code').fill(code())
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByText(`${email} of acme`).waitFor()
  await type(whoAmI)
  expect(await run()).toEqual({ data: { viewer: { email } } })
  expect(await page.getByLabel('Code').isVisible()).toBe(false)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Sign in' }).waitFor()

  // Strangers who fail on this account make no device wait that was in before.
  const attempt = { tenant: 'acme', email, password: 'wrong horse battery' }
  for (let n = 0; n < 6; n++) await userErrors(graph.anonymous, 'signIn', attempt)
  expect(await userErrors(graph.anonymous, 'signIn', attempt)).toMatchObject([{ code: 'RATE_LIMITED' }])
  await signIn(password, email)
  await page.getByLabel('Code').waitFor()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
  expect(await page.getByLabel('Code').isVisible()).toBe(false)
  expect(complaints).toEqual([])
})

test('a second factor that took too long begins anew', async () => {
  const owner = await graph.demo('acme', 'analyst')
  const { enrollTotp } = await owner.data<{ enrollTotp: { mfaDevice: { id: string }; secret: string } }>(
    'mutation { enrollTotp(input: { label: "Telephone" }) { mfaDevice { id } secret } }',
  )
  const input = { id: enrollTotp.mfaDevice.id, code: codeAt(enrollTotp.secret, graph.clock.now()) }
  expect(await userErrors(owner, 'confirmMfaDevice', input)).toEqual([])
  await signIn(password, 'analyst@acme.example')
  await page.getByLabel('Code').waitFor()
  graph.clock.advance({ minutes: 6 })
  await page.getByLabel('Code').fill(codeAt(enrollTotp.secret, graph.clock.now()))
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByText('This sign-in took too long').waitFor()
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
})

test('the form remembers the tenant that let somebody in and the mark of the device, and nothing else', async () => {
  const inputs = () =>
    Promise.all(['Tenant', 'E-mail', 'Password'].map((name) => page.getByLabel(name).inputValue()))
  await signIn('wrong password')
  await expect(page.getByRole('status').filter({ hasText: /\S/ }).textContent()).resolves.toMatch(/password/i)
  await page.reload()
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
  expect(await inputs()).toEqual(['', '', ''])
  await signIn()
  await page.getByText('admin@acme.example of acme').waitFor()
  await page.reload()
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
  expect(await inputs()).toEqual(['acme', '', ''])
})

const files = readdirSync(operations).filter((name) => name.endsWith('.graphql'))

test.each(files)('the menu offers test/operations/%s, and it answers', async (file) => {
  await signIn()
  await page.getByText('admin@acme.example of acme').waitFor()
  await page.getByLabel('Example').selectOption(file.replace('.graphql', '').replaceAll('-', ' '))
  const text = await page.evaluate<string>(
    "document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror.getValue()",
  )
  expect(text).toBe(readFileSync(join(operations, file), 'utf8'))
  const answer = await run()
  expect(answer.errors).toBeUndefined()
  expect(Object.values(answer.data ?? {})).not.toContain(null)
  await screenshot(`example-${file}`)
})

test('the documentation opens, nothing comes from elsewhere, no secret is stored', async () => {
  await signIn()
  await page.getByText('admin@acme.example of acme').waitFor()
  await type(whoAmI)
  await run()
  await page.getByRole('button', { name: /documentation explorer/i }).click()
  await page.getByRole('link', { name: 'Query' }).first().click()
  await page.getByRole('heading', { name: 'Fields' }).or(page.getByText('Fields')).first().waitFor()
  await screenshot('documentation')
  expect([...origins]).toEqual([new URL(graph.server.url).origin])
  expect(complaints).toEqual([])
  const storage = 'JSON.stringify([{ ...localStorage }, { ...sessionStorage }])'
  const stored = await until(() => page.evaluate<string>(storage), /viewer \{ email \}/)
  expect(stored).not.toMatch(/eyJ|Bearer/)
  expect(stored).not.toContain(password)
  const deviceMark = expect.stringMatching(/^[\da-f-]{36}\.[\da-z]{8,9}\.[\w-]{43}$/) as string
  expect(await page.evaluate('({ ...localStorage })')).toEqual({ tenant: 'acme', deviceMark })
  expect(await page.evaluate('document.cookie')).toBe('')
})

test('E2 E3 E4: one click signs in, an example runs, and the page says how it was answered', async () => {
  const hidden = await page.evaluate<string[]>(
    `[...document.querySelectorAll('[hidden]')].filter((one) => getComputedStyle(one).display !== 'none').map(({ id }) => id)`,
  )
  expect(hidden).toEqual([])
  expect(await page.getByRole('button', { name: 'Sign out' }).isVisible()).toBe(false)
  await page.getByRole('button', { name: 'analyst of globex' }).click()
  await page.getByText('analyst@globex.example of globex').waitFor()
  await page.getByLabel('Example').selectOption('Customers: search, filter, order, one page')
  const variables = "document.querySelector('.graphiql-editor-tool .CodeMirror').CodeMirror.getValue()"
  expect(JSON.parse(await page.evaluate<string>(variables))).toEqual({ search: 'an', first: 5 })
  const answer = await run()
  expect(Object.keys(answer)).toEqual(['data'])
  const summary = page.locator('#explanation > summary')
  expect(await summary.textContent()).toMatch(
    /^How it was answered: [\d.]+ ms · 1 subgraph · 2 SQL statements · cost \d+ of 50,000$/,
  )
  await summary.click()
  expect(await page.locator('.step .name').allTextContents()).toEqual([
    'insights',
    'insights: SQL',
    'insights: SQL',
  ])
  expect(await page.locator('#explanation tbody tr').first().textContent()).toMatch(
    /^heldinsights:customer:read/,
  )
  await screenshot('explanation')
  await page.getByRole('button', { name: 'Sign out' }).click()
  expect(await page.locator('#explanation').isVisible()).toBe(false)
  expect(complaints).toEqual([])
})

test('E4 E10: a link opens the operation with its variables and no token; Ctrl K searches', async () => {
  const link = new URL(graph.server.url)
  link.hash = new URLSearchParams({ query: '{ viewer { id } }', variables: '{"a":1}' }).toString()
  await page.goto('about:blank')
  await page.goto(link.href)
  await page.locator('.graphiql-query-editor .CodeMirror').waitFor()
  const text = "document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror.getValue()"
  expect(await until(() => page.evaluate<string>(text), /viewer/)).toBe('{ viewer { id } }')
  await signIn()
  await page.getByText('admin@acme.example of acme').waitFor()
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  const copied = async (button: string) => {
    await page.getByRole('button', { name: button, exact: true }).click()
    await page.getByText('Copied.').waitFor()
    return page.evaluate<string>('navigator.clipboard.readText()')
  }
  for (const button of ['Copy link', 'curl', 'fetch']) expect(await copied(button)).not.toMatch(/eyJ/)
  expect(new URLSearchParams(new URL(await copied('Copy link')).hash.slice(1)).get('query')).toBe(
    '{ viewer { id } }',
  )
  await page.keyboard.press('Control+k')
  const isSearching = "String(Boolean(document.activeElement.closest('.graphiql-doc-explorer-search')))"
  await until(() => page.evaluate<string>(isSearching), /true/)
})

test('fits a phone', async () => {
  await page.context().close()
  await open({ width: 390, height: 844 })
  await signIn()
  await page.getByText('admin@acme.example of acme').waitFor()
  await type(whoAmI)
  expect(await run()).toEqual(admin)
  await screenshot('phone')
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390)
})
