import fc from 'fast-check'
import { buildSchema } from 'graphql'
import { systemClock } from '../../kernel/clock'
import { forbidden } from '../../kernel/errors'
import type { GatewayContext, RequestRecord } from '../../gateway/context'
import { cell } from '../../gateway/exports/export-formats'
import type { ExportEntry } from '../../gateway/exports/export-trail'
import { withExports } from '../../gateway/exports/exports'
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
const contextOf = (tenantId: string) => async () =>
  ({ request: { viewer: { tenantId, userId: 'u' } } }) as unknown as GatewayContext

/** A pipeline whose list has so many rows, and whose page fails from this one on. */
function stage(total: number, failsAt = Infinity) {
  const pages: number[] = []
  const entries: ExportEntry[] = []
  const front = withExports({
    front: {
      async answer({ body }, _record, context) {
        await context()
        const { variables } = body as { variables: { export_first: number; export_after: string | null } }
        const start = Number(variables.export_after ?? 0)
        pages.push(start)
        if (start >= failsAt) return json(200, { errors: [forbidden().toJSON()], data: { things: null } })
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
  })
  const ask = (args = '', tenant = 't', asked = contextOf(tenant)) =>
    front.answer(
      {
        method: 'POST',
        headers: { accept: 'text/csv' },
        search: '',
        body: { query: `{ things${args} { nodes { name } } }` },
      },
      record,
      asked,
    )
  return { ask, pages, entries }
}

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
  const { ask, pages } = stage(950, 300)
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
  const lines = text.trimEnd().split('\r\n')
  expect([lines.length, lines[1], lines.at(-1)]).toEqual([10_151, 'n5', 'n10154'])
  expect((await ask('(first: 100001)')).status).toBe(400)
})

test('Q5: three exports of a tenant run at once, others wait for their end and nobody else for them', async () => {
  const { ask } = stage(150)
  const running = [await ask(), await ask(), await ask()]
  const refused = await ask()
  expect([refused.status, refused.headers]).toEqual([503, { 'retry-after': '5' }])
  expect((await ask('', 'other')).status).toBe(200)
  running[0]!.stream!.end()
  running[0]!.stream!.end()
  expect([(await ask()).status, (await ask()).status]).toEqual([200, 503])
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
