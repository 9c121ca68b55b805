import fc from 'fast-check'
import { buildSchema } from 'graphql'
import { systemClock } from '../../kernel/clock'
import { forbidden, rateLimited } from '../../kernel/errors'
import type { GatewayContext, RequestRecord } from '../../gateway/context'
import { cell } from '../../gateway/exports/export-formats'
import type { ExportEntry } from '../../gateway/exports/export-trail'
import { withExports } from '../../gateway/exports/exports'
import type { ExportBounds } from '../../gateway/exports/open-exports'
import { json, type HttpResponse } from '../../gateway/http/http-response'
import { documentCheck } from '../../gateway/operations/document-check'
import { defaultLimits } from '../../gateway/operations/limits'

const schema = buildSchema(`
  type Query { things(first: Int, after: String): ThingConnection }
  type ThingConnection { nodes: [Thing!]! pageInfo: PageInfo! totalCount: Int }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type Thing { name: String }
`)
const record = { anonymous: false, codes: new Set() } as unknown as RequestRecord
const contextOf =
  (tenantId: string, userId = 'u', operator: object | null = null) =>
  async () =>
    ({ request: { viewer: { tenantId, userId }, operator } }) as unknown as GatewayContext

interface Stage {
  /** What comes in place of the page that begins here. */
  instead?: (start: number) => HttpResponse | undefined
  share?: (tenantId: string, cost: number) => number
  bounds?: Partial<ExportBounds>
  /** Ends when a page may be read. */
  before?: () => Promise<void>
}

/** A pipeline whose list has so many rows. */
function stage(total: number, { instead, share, bounds, before }: Stage = {}) {
  const pages: number[] = []
  const entries: ExportEntry[] = []
  const front = withExports({
    front: {
      async answer({ body }, record, context) {
        await context()
        const { variables } = body as { variables: { export_first: number; export_after: string | null } }
        const start = Number(variables.export_after ?? 0)
        pages.push(start)
        await before?.()
        record.cost = 7
        const other = instead?.(start)
        if (other) return other
        const end = Math.min(start + variables.export_first, total)
        const nodes = Array.from({ length: end - start }, (_, n) => ({ name: `n${start + n}` }))
        const exportPage = { hasNextPage: end < total, endCursor: String(end) }
        return json(200, { data: { things: { nodes, exportPage, exportTotal: Math.min(total, 10_000) } } })
      },
    },
    check: documentCheck(defaultLimits, 'public'),
    schema: () => schema,
    pageLimits: { root: 100, nested: 50 },
    trail: { write: async (_context, entry) => void entries.push(entry) },
    clock: systemClock,
    formatError: (error) => error as object,
    share,
    bounds,
  })
  const ask = (args = '', tenant = 't', asked = contextOf(tenant), of = record) =>
    front.answer(
      {
        method: 'POST',
        headers: { accept: 'text/csv' },
        search: '',
        body: { query: `{ things${args} { nodes { name } } }` },
      },
      of,
      asked,
    )
  return { ask, pages, entries }
}

const failsFrom = (at: number) => (start: number) =>
  start >= at ? json(200, { errors: [forbidden().toJSON()], data: { things: null } }) : undefined

async function textOf({ stream }: HttpResponse): Promise<string> {
  let text = ''
  for await (const chunk of stream!.chunks) text += chunk
  stream!.end()
  return text
}

test('Q5: a page is read when the one before was taken, and who asks is asked for each', async () => {
  const { ask, pages, entries } = stage(950)
  let asked = 0
  const answer = await ask('', 't', () => (asked++, contextOf('t')()))
  expect([pages, entries]).toEqual([
    [0],
    [{ type: 'Thing', list: 'things', format: 'csv', columns: ['name'], asked: [], rows: 950 }],
  ])
  const chunks = answer.stream!.chunks[Symbol.asyncIterator]()
  await chunks.next()
  expect(pages).toEqual([0])
  await chunks.next()
  expect(pages).toEqual([0, 100])
  await chunks.return?.()
  expect([pages.length, asked]).toEqual([2, 2])
})

test('Q5: rights that end in the middle end the export, and the client sees that it is not whole', async () => {
  const { ask, pages } = stage(950, { instead: failsFrom(300) })
  const answer = await ask()
  expect(answer.status).toBe(200)
  await expect(textOf(answer)).rejects.toThrow('refused')
  expect(pages).toEqual([0, 100, 200, 300])
})

test('Q5: a list of 10,000 rows or more asks for how many; so many are sent', async () => {
  const { ask, pages, entries } = stage(12_345)
  const refused = await ask()
  expect([refused.status, refused.body]).toEqual([
    400,
    expect.stringContaining('The list has 10000 rows or more: narrow the filter, or say with first'),
  ])
  expect([pages.length, entries.length]).toEqual([1, 0])
  const text = await textOf(await ask('(first: 10150, after: "5")'))
  // So many at most: what is behind a cursor nobody has counted.
  expect(entries).toMatchObject([{ rowsAtMost: 10_150 }])
  const lines = text.trimEnd().split('\r\n')
  expect([lines.length, lines[1], lines.at(-1)]).toEqual([10_151, 'n5', 'n10154'])
  expect((await ask('(first: 100001)')).status).toBe(400)
})

test('dash 28: the trail tells how many rows leave, and where nobody counted how many at most', async () => {
  const told = async (total: number, args: string) => {
    const { ask, entries } = stage(total)
    await ask(args)
    const { rows, rowsAtMost } = entries[0]!
    return { rows, rowsAtMost }
  }
  expect(await told(950, '')).toEqual({ rows: 950 })
  expect(await told(950, '(first: 300)')).toEqual({ rows: 300 })
  expect(await told(950, '(after: "900")')).toEqual({ rows: 50 })
  expect(await told(950, '(after: "500")')).toEqual({ rowsAtMost: 950 })
  expect(await told(20_000, '(first: 5000)')).toEqual({ rows: 5000 })
  expect(await told(20_000, '(first: 15000)')).toEqual({ rowsAtMost: 15_000 })
})

test('dash 7: a list that is not there is no file, and one that disappears ends none well', async () => {
  const gone = (from: number) => (start: number) =>
    start >= from ? json(200, { data: { things: null } }) : undefined
  const first = stage(950, { instead: gone(0) })
  const refused = await first.ask()
  expect([refused.status, refused.stream, first.entries]).toEqual([400, undefined, []])
  expect(refused.body).toContain('There is no list to export: nothing is at things')
  const later = stage(950, { instead: gone(100) })
  const answer = await later.ask()
  expect([answer.status, later.entries.length]).toEqual([200, 1])
  await expect(textOf(answer)).rejects.toThrow('There is no list to export')
  expect(later.pages).toEqual([0, 100])
})

test('dash 18: an export waits where the rates say so, and goes on; what its tenant has in a minute is not spent by it', async () => {
  const limited = [json(429, { errors: [rateLimited(0.01).toJSON()] })]
  const { ask, pages } = stage(250, { instead: (start) => (start === 100 ? limited.pop() : undefined) })
  const text = await textOf(await ask())
  expect([text.trimEnd().split('\r\n').length, pages]).toEqual([251, [0, 100, 100, 200]])
  // On the first page the refusal is the answer.
  const atOnce = stage(250, { instead: () => json(429, { errors: [rateLimited(3).toJSON()] }) })
  expect((await atOnce.ask()).status).toBe(429)

  const asked: [string, number][] = []
  const waits = [5, 5, 0, 0]
  const shared = stage(250, { share: (...of) => (asked.push(of), waits.shift()!) })
  expect((await textOf(await shared.ask())).trimEnd().split('\r\n').length).toBe(251)
  expect(asked).toEqual(Array.from({ length: 4 }, () => ['t', 8]))
  // Who left does not wait on.
  const left = { ...record, clientGone: false }
  const endless = stage(250, { share: () => 1 })
  const answer = await endless.ask('', 't', contextOf('t'), left)
  left.clientGone = true
  await expect(textOf(answer)).rejects.toThrow('The client left')
})

test('dash 6: exports that nobody takes are in the way of the same user alone', async () => {
  const { ask } = stage(150, { bounds: { open: { user: 2, tenant: 5 } } })
  const of = (user: string, tenant = 't') => ask('', tenant, contextOf(tenant, user))
  const running = [await of('a'), await of('a')]
  const refused = await of('a')
  expect([refused.status, refused.headers]).toEqual([503, { 'retry-after': '5' }])
  expect([(await of('b')).status, (await of('b')).status, (await of('a', 'other')).status]).toEqual([
    200, 200, 200,
  ])
  running[0]!.stream!.end()
  running[0]!.stream!.end()
  expect([(await of('a')).status, (await of('a')).status]).toEqual([200, 503])
  expect([(await of('c')).status, (await of('d')).status]).toEqual([200, 503])
  expect(running[1]!.stream!.longestMs).toBe(15 * 60_000)
})

test('dash 6: sixteen pages are read at once and three of a tenant; others wait for a page, not for an export', async () => {
  const reads: (() => void)[] = []
  const { ask, pages } = stage(50, {
    before: () => new Promise((resolve) => reads.push(resolve)),
    bounds: { reading: { tenant: 3, all: 5 } },
  })
  const settled = () => new Promise((resolve) => setImmediate(resolve))
  const answers = ['a', 'a', 'a', 'a', 'b', 'b', 'c'].map((tenant, n) =>
    ask('', tenant, contextOf(tenant, `u${n}`)),
  )
  await settled()
  expect(pages.length).toBe(5)
  // Of the first tenant one waits for its own, of the others one for anybody.
  for (const left of [6, 7, 7]) {
    reads.shift()!()
    await settled()
    expect(pages.length).toBe(left)
  }
  for (const read of reads) read()
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(
    Array.from({ length: 7 }, () => 200),
  )
})

test('an operator in a tenant exports nothing, and nothing is told of it', async () => {
  const { ask, pages, entries } = stage(50)
  const refused = await ask('', 't', contextOf('t', 'o', { operatorId: 'o' }))
  expect([refused.status, pages, entries]).toEqual([403, [], []])
})

test('Q5: no text becomes a formula, none is lost, and numbers stay numbers', () => {
  expect(
    [null, '', -1.5, true, '-12.50', '-12.50x', '+49 30', '@x', '\tx', 'a,b', { a: ['"'] }].map(cell),
  ).toEqual([
    '',
    '""',
    '-1.5',
    'true',
    '-12.50',
    "'-12.50x",
    "'+49 30",
    "'@x",
    '"\'\tx"',
    '"a,b"',
    '"{""a"":[""\\""""]}"',
  ])
  const text = fc.string({
    unit: fc.constantFrom('=', '+', '-', '@', '\t', '\r', '\n', ' ', '"', ',', ';', 'a', '1', '＝'),
  })
  fc.assert(
    fc.property(text, (given) => {
      const written = cell(given)
      const read = written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written
      expect([given, `'${given}`]).toContain(read)
      expect(/^\s*[=+\-@＝\t\r\n]/.test(read) && !/^-?\d+$/.test(read)).toBe(false)
    }),
  )
})
