import fc from 'fast-check'
import { InexactJson, isExactNumber, parseExactJson, withExactNumbers } from '../../kernel/schema/exact-json'

const reasonOf = (text: string): string | null => {
  try {
    parseExactJson(text)
    return null
  } catch (error) {
    if (!(error instanceof InexactJson)) throw error
    return error.message
  }
}
const rounded = (number: string) => `the number ${number} cannot be held exactly: send it as text`

describe('numbers (Q4)', () => {
  test.each([
    '0',
    '1',
    '-1',
    '0.1',
    '0.10',
    '1.0',
    '12.50',
    '1e3',
    '1E-7',
    '1e+21',
    '9007199254740991',
    '9007199254740992',
    '9007199254740994',
    '0.30000000000000004',
    '0.10000000000000001',
    '1.7976931348623157e308',
    '5e-324',
    '100000000000000000000',
    '0.00000000000000000001',
    '0e999',
    '0.0',
  ])('%s is held', (text) => expect(isExactNumber(text)).toBe(true))

  test.each([
    '9007199254740993',
    '-9007199254740993',
    '12345678901234567890',
    '1e400',
    '-1e400',
    '1e-400',
    '-0',
    '-0.0',
    '-0e5',
    '0.1234567890123456789',
    '1.00000000000000000001',
    '12345678901234567',
    `1${'0'.repeat(400)}`,
  ])('%s is not', (text) => expect(isExactNumber(text)).toBe(false))

  test('a million digits take no time', () => {
    expect(isExactNumber(`0.${'0'.repeat(1_000_000)}1`)).toBe(false)
    expect(isExactNumber(`1${'0'.repeat(1_000_000)}`)).toBe(false)
  })
})

describe('what was sent (Q4)', () => {
  test.each([
    [
      '{"variables":{"input":{"features":{"n": 9007199254740993}}}}',
      `variables.input.features.n: ${rounded('9007199254740993')}`,
    ],
    ['{"a":[1,{"b":[0,1e400]}]}', `a.1.b.1: ${rounded('1e400')}`],
    ['{"a":-0}', `a: ${rounded('-0')}`],
    ['[ -0.0 ]', `0: ${rounded('-0.0')}`],
    ['12345678901234567890', `the whole: ${rounded('12345678901234567890')}`],
    ['{"a":{"n":1,"m":2,"n":3}}', 'a.n: the name comes twice in its object: send it once'],
    ['{"a":{"n":1,"\\u006e" : 3}}', 'a.n: the name comes twice in its object: send it once'],
    ['{"__proto__":1,"__proto__":2}', '__proto__: the name comes twice in its object: send it once'],
  ])('%s is refused', (text, reason) => expect(reasonOf(text)).toBe(reason))

  test.each([
    '{"a":": -0, 1e400, 9007199254740993, \\"b\\": 1","c":"\\\\","d":"\\":"}',
    '{"a":{"n":1},"b":{"n":1}}',
    '[{"n":1},{"n":1}]',
    '{"id":"3e4a0b1c-0000-7000-8000-000000000000","on":"2026-01-01"}',
    '-1',
    '{"":{"":1}}',
  ])('%s is read', (text) => expect(parseExactJson(text)).toEqual(JSON.parse(text)))

  test('whatever JavaScript writes is read as it was', () =>
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false } as never), (value) => {
        const text = JSON.stringify(value)
        expect(JSON.stringify(parseExactJson(text))).toBe(text)
        expect(withExactNumbers(text)).toBe(text)
      }),
    ))

  test('no JSON is a SyntaxError', () => expect(() => parseExactJson('{"a":')).toThrow(SyntaxError))
})

test('what others wrote comes out with texts instead of numbers that would be rounded (Q4)', () => {
  expect(
    withExactNumbers('{"n":9007199254740993,"s":"9007199254740993: 1e400","m":[1e400,1.5,-0],"ok":1e3}'),
  ).toBe('{"n":"9007199254740993","s":"9007199254740993: 1e400","m":["1e400",1.5,"-0"],"ok":1e3}')
})
