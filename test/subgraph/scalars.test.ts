import { buildSchema, execute, GraphQLError, parse, validate, type ExecutionResult } from 'graphql'
import { addResolversToSchema } from '@apollo/subgraph/dist/schema-helper'
import { scalars } from '../../kernel/schema/scalars'
import { isEmailAddress, normalEmail } from '../../kernel/schema/text'

const read = (scalar: string, value: unknown): unknown => {
  try {
    return scalars[scalar]!.parseValue(value)
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error
    return `refused: ${error.message}`
  }
}

const notA = (scalar: string, example: string) => `refused: Not a valid ${scalar}, such as "${example}"`

describe('DateTime', () => {
  test.each([
    ['2026-03-29T01:30:00Z', '2026-03-29T01:30:00.000Z'],
    ['2026-03-29T03:30:00+02:00', '2026-03-29T01:30:00.000Z'],
    ['2026-12-31T23:30:00.5-01:00', '2027-01-01T00:30:00.500Z'],
    ['2026-01-01T00:00:00.123987654z', '2026-01-01T00:00:00.123Z'],
    ['2024-02-29t12:00:00Z', '2024-02-29T12:00:00.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('%s is %s', (text, normal) => expect(read('DateTime', text)).toBe(normal))

  test.each([
    '2026-03-29T01:30:00',
    '2026-03-29',
    '2026-02-30T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-06-30T23:59:60Z',
    '2026-01-01T00:00:00+24:00',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    '+12026-01-01T00:00:00Z',
    'now',
    '',
  ])('%s is refused', (text) =>
    expect(read('DateTime', text)).toBe(notA('DateTime', '2026-03-29T01:30:00.000Z')),
  )

  test('a number is refused: seconds or milliseconds?', () =>
    expect(read('DateTime', 1774747800)).toBe(
      'refused: DateTime must be a string, such as "2026-03-29T01:30:00.000Z"',
    ))
})

test.each([
  ['2024-02-29', '2024-02-29'],
  ['2000-02-29', '2000-02-29'],
  ['1900-02-29', notA('Date', '2026-02-28')],
  ['2026-04-31', notA('Date', '2026-02-28')],
  ['2026-00-10', notA('Date', '2026-02-28')],
  ['2026-10-00', notA('Date', '2026-02-28')],
  ['2026-13-01', notA('Date', '2026-02-28')],
  ['0000-01-01', notA('Date', '2026-02-28')],
  ['2026-1-1', notA('Date', '2026-02-28')],
  ['2026-01-01T00:00:00Z', notA('Date', '2026-02-28')],
])('Date %s', (text, answer) => expect(read('Date', text)).toBe(answer))

const decimalFault = notA('Decimal', '1234.50')
test.each([
  ['0', '0'],
  ['-0.10', '-0.10'],
  ['99999999999999999999.999999999999999999', '99999999999999999999.999999999999999999'],
  ['9'.repeat(38), '9'.repeat(38)],
  ['9'.repeat(39), decimalFault],
  [`0.${'1'.repeat(19)}`, decimalFault],
  ['1e3', decimalFault],
  ['+1', decimalFault],
  ['01', decimalFault],
  ['.5', decimalFault],
  ['1.', decimalFault],
  ['1,5', decimalFault],
  ['NaN', decimalFault],
  ['', decimalFault],
  [12.5, 'refused: Decimal must be a string, such as "1234.50"'],
])('Decimal %s', (value, answer) => expect(read('Decimal', value)).toBe(answer))

test.each([
  ['EUR', 'EUR'],
  ['JPY', 'JPY'],
  ['eur', notA('CurrencyCode', 'EUR')],
  ['ZZZ', notA('CurrencyCode', 'EUR')],
  ['EURO', notA('CurrencyCode', 'EUR')],
])('CurrencyCode %s', (text, answer) => expect(read('CurrencyCode', text)).toBe(answer))

const emailFault = null
test.each([
  ['Ada.Lovelace+notes@sub.example.com', 'ada.lovelace+notes@sub.example.com'],
  ['ü@exämple.de', 'ü@exämple.de'],
  ['ada@example', emailFault],
  ['ada', emailFault],
  ['@example.com', emailFault],
  ['a@b@example.com', emailFault],
  ['ada @example.com', emailFault],
  [' ada@example.com\n', 'ada@example.com'],
  ['ＡＤＡ@example.com', 'ada@example.com'],
  ['a\u200bda@example.com', emailFault],
  ['ada@example.com\u0000', emailFault],
  ['ada..b@example.com', emailFault],
  ['.ada@example.com', emailFault],
  ['ada@-example.com', emailFault],
  [`${'a'.repeat(65)}@example.com`, emailFault],
  [
    `a@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(63)}.${'e'.repeat(57)}.de`,
    `a@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(63)}.${'e'.repeat(57)}.de`,
  ],
  [`a@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(63)}.${'e'.repeat(58)}.de`, emailFault],
])('EmailAddress %j', (text, normal) => {
  // Which texts are addresses, a mutation says to the person at the form; the scalar takes any text (G15).
  expect(read('EmailAddress', text)).toBe(text)
  expect(isEmailAddress(normalEmail(text)) ? normalEmail(text) : null).toBe(normal)
})

test('EmailAddress 7', () =>
  expect(read('EmailAddress', 7)).toBe('refused: EmailAddress must be a string, such as "ada@example.com"'))

describe('JSON', () => {
  const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) })

  test('any value is taken as it is', () => {
    for (const value of [null, true, 1.5, 'text', [], {}, { a: [{ b: null }] }, nested(20)])
      expect(read('JSON', value)).toEqual(value)
  })
  test.each([
    ['more than 20 levels', nested(21), 'JSON may nest 20 levels at most'],
    ['more than 64 KiB', ['x'.repeat(65_536)], 'JSON may take 64 KiB at most'],
    ['the NUL character', { a: ['\u0000'] }, 'JSON texts must be Unicode without NUL'],
    ['half a character', ['\ud800'], 'JSON texts must be Unicode without NUL'],
    [
      'minus zero, which JSON writes as 0 (Q4)',
      { a: [-0] },
      'the number -0 cannot be held exactly: send it as text',
    ],
    ['what is no number (Q4)', [Infinity], 'the number Infinity cannot be held exactly: send it as text'],
    ['half a character in a name', { '\udc00': 1 }, 'JSON texts must be Unicode without NUL'],
  ])('%s is refused', (_what, value, message) => expect(read('JSON', value)).toBe(`refused: ${message}`))
})

describe('in a document', () => {
  const schema = buildSchema(`
    scalar DateTime scalar Date scalar Decimal scalar CurrencyCode scalar EmailAddress scalar JSON
    type Query { at(value: DateTime): DateTime  any(value: JSON): JSON  amount(value: Decimal): Decimal  bad: DateTime }`)
  addResolversToSchema(schema, {
    ...scalars,
    Query: {
      at: (_: unknown, { value }: { value: unknown }) => value,
      amount: (_: unknown, { value }: { value: unknown }) => value,
      any: (_: unknown, { value }: { value: unknown }) => ({
        isPlain: Object.getPrototypeOf(value) === Object.prototype,
        value,
      }),
      bad: () => 'yesterday',
    },
  } as never)
  const ask = (query: string, variableValues?: Record<string, unknown>) =>
    execute({ schema, document: parse(query), variableValues }) as ExecutionResult

  test('literals and variables are read alike', () => {
    const asked = '{ at(value: "2026-01-01T00:00:00+01:00") }'
    expect(ask(asked).data).toEqual({ at: '2025-12-31T23:00:00.000Z' })
    expect(ask('query ($v: DateTime) { at(value: $v) }', { v: '2026-01-01T00:00:00+01:00' }).data).toEqual({
      at: '2025-12-31T23:00:00.000Z',
    })
  })
  test('number literals are no decimals', () => {
    const [fault] = validate(schema, parse('{ amount(value: 12.5) }'))
    expect(fault?.message).toBe('Decimal must be a string, such as "1234.50"')
  })
  test('JSON literals may hold variables and become ordinary objects', () => {
    expect(ask('query ($v: JSON) { any(value: { a: [$v, 1] }) }', { v: { b: 2 } }).data).toEqual({
      any: { isPlain: true, value: { a: [{ b: 2 }, 1] } },
    })
  })
  test('a value of ours that is none is an error, not an answer', () => {
    expect(ask('{ bad }')).toMatchObject({ data: { bad: null }, errors: [{ path: ['bad'] }] })
  })
})
