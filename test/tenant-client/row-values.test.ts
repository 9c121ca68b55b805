import { uuidv7 } from '../../kernel/id'
import type { Database } from '../../kernel/connection/database'
import { date, instant } from '../../kernel/connection/row-values'
import { modes, Note, notesDatabase, openNotes } from './notes'

let database: Awaited<ReturnType<typeof notesDatabase>>
beforeAll(async () => {
  database = await notesDatabase()
})
afterAll(() => database.drop())

describe.each(modes)('values, %s', (mode) => {
  let db: Database
  beforeAll(async () => {
    db = await openNotes(database, mode)
  })
  afterAll(() => db.close())
  const value = async (sql: string) => (await db.rows({ tenantId: null }, { text: `SELECT ${sql}` }))[0]![0]

  it.each([
    ["'2026-11-20 23:18:01.123+00'::timestamptz(3)", '2026-11-20T23:18:01.123Z'],
    ["'2026-11-20 23:18:01+00'::timestamptz(3)", '2026-11-20T23:18:01.000Z'],
    ["'2026-11-20 23:18:01.1+00'::timestamptz", '2026-11-20T23:18:01.100Z'],
    ["'2026-11-20 23:18:01.999999+00'::timestamptz", '2026-11-20T23:18:01.999Z'],
    ["'2026-11-21 00:18:01.5+02:30'::timestamptz", '2026-11-20T21:48:01.500Z'],
    ["'0001-01-01 00:00+00'::timestamptz", '0001-01-01T00:00:00.000Z'],
    ["'9999-12-31 23:59:59.999+00'::timestamptz", '9999-12-31T23:59:59.999Z'],
    ["'2026-03-29'::date", '2026-03-29'],
    ["'0001-01-01'::date", '0001-01-01'],
    ['9223372036854775807::bigint', '9223372036854775807'],
    ['-42::bigint', '-42'],
    ['12345678901234567890.1230::numeric', '12345678901234567890.1230'],
    ['42', 42],
    ['0.1::float8', 0.1],
    ['true', true],
    ["'text'", 'text'],
    ["'0190A8B4-0000-7000-8000-000000000000'::uuid", '0190a8b4-0000-7000-8000-000000000000'],
    [`'{"a": [1, null, "x"]}'::jsonb`, { a: [1, null, 'x'] }],
    ["ARRAY['a', NULL, 'b,\"c\"']", ['a', null, 'b,"c"']],
    ["ARRAY['2026-11-20 01:00+00'::timestamptz, NULL]", ['2026-11-20T01:00:00.000Z', null]],
    ["ARRAY['2026-11-20'::date]", ['2026-11-20']],
    ['ARRAY[9223372036854775807]', ['9223372036854775807']],
    ['ARRAY[1.10]', ['1.10']],
    ['ARRAY[1, 2]', [1, 2]],
    ["'2026-11-20 01:02:03'::timestamp", '2026-11-20 01:02:03'],
    ["'1 day 02:00'::interval", '1 day 02:00:00'],
    ['NULL::timestamptz', null],
  ])('%s', async (sql, expected) => {
    expect(await value(sql)).toEqual(expected)
  })

  it.each([
    "'infinity'::timestamptz",
    "'-infinity'::timestamptz",
    "'0044-03-15 00:00+00 BC'::timestamptz",
    "'10000-01-01 00:00+00'::timestamptz",
    "'infinity'::date",
    "'0044-03-15 BC'::date",
    "'10000-01-01'::date",
  ])('refuses %s, which ISO 8601 cannot tell, and goes on', async (sql) => {
    await expect(value(sql)).rejects.toThrow('years 0001 to 9999')
    expect(await value('1')).toBe(1)
  })

  it('come the same way through TypeORM', async () => {
    const binding = { tenantId: uuidv7() }
    const at = '2026-11-20T23:18:01.123Z'
    const id = uuidv7()
    await db.transaction(binding, async (tx) => {
      await tx.manager.insert(Note, { id, body: 'one', at })
      expect(await tx.manager.findOneBy(Note, { id, at })).toEqual({ ...binding, id, body: 'one', at })
      await tx.manager.update(Note, { id }, { at: '1900-01-01T00:00:00.001Z' })
    })
    expect(await db.rows(binding, { text: 'SELECT at FROM probe.notes' })).toEqual([
      ['1900-01-01T00:00:00.001Z'],
    ])
  })
})

describe('instants of sessions that are not in UTC', () => {
  it.each([
    ['2026-11-21 04:48:01.123456+05:30', '2026-11-20T23:18:01.123Z'],
    ['2026-11-20 18:18:01-05', '2026-11-20T23:18:01.000Z'],
    ['1890-01-01 00:53:28.5+00:53:28', '1890-01-01T00:00:00.500Z'],
    ['0050-01-01 00:00:00-01', '0050-01-01T01:00:00.000Z'],
  ])('%s', (text, expected) => {
    expect(instant(text)).toBe(expected)
  })

  it.each([
    '10000-01-01 00:00:00+01',
    '9999-12-31 23:59:59-01',
    '20.11.2026 23:18:01+00',
    'Fri Nov 20 23:18:01 2026 UTC',
  ])('refuses %s', (text) => {
    expect(() => instant(text)).toThrow('years 0001 to 9999')
  })

  it('refuses days that are not written by ISO', () => {
    expect(() => date('20.11.2026')).toThrow('years 0001 to 9999')
  })
})
