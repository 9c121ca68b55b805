import fc from 'fast-check'
import { holdsCardNumber, jsonHoldsCardNumber } from '../../kernel/sensitive/card-numbers'

/** Numbers that the networks publish for tests. */
const cards = [
  '4111111111111111',
  '4222222222222',
  '5555555555554444',
  '2223003122003222',
  '378282246310005',
  '30569309025904',
  '6011111111111117',
  '3530111333300000',
  '6200000000000005',
]

test.each(cards)('C1 finds %s, alone, in a sentence and in groups', (card) => {
  expect(holdsCardNumber(card)).toBe(true)
  expect(holdsCardNumber(`please charge ${card}, thank you`)).toBe(true)
  expect(holdsCardNumber(card.replace(/(\d{4})/g, '$1 '))).toBe(true)
  expect(holdsCardNumber(card.replace(/(\d{4})(?=\d)/g, '$1-'))).toBe(true)
  expect(holdsCardNumber(card.split('').join('.'))).toBe(true)
  expect(holdsCardNumber(`no.${card} 12/27 123`)).toBe(true)
  // Digits of full width.
  expect(holdsCardNumber(card.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit))))).toBe(
    true,
  )
})

test.each([
  ['a wrong check digit', '4111111111111112'],
  ['too few digits', '411111111111'],
  ['digits within a longer number', '12345678904111111111111111123'],
  ['an id', '019b76da-a800-7000-8000-0000000000a0'],
  ['an id of digits alone', '41111111-1111-1111-1111-111111111111'],
  ['a telephone number', '+4915112345678'],
  ['an instant in milliseconds', '1700000000000'],
  ['an invoice number', 'INV-2026-000123'],
  ['an account number', 'DE89 3704 0044 0532 0130 00'],
  ['a first digit that no issuer has', '0000000000000000'],
  ['an empty text', ''],
])('lets %s pass', (_, text) => {
  expect(holdsCardNumber(text)).toBe(false)
})

test('C1 finds them anywhere in JSON: texts, numbers, names', () => {
  expect(jsonHoldsCardNumber({ a: [{ b: 'x 4111 1111 1111 1111' }] })).toBe(true)
  expect(jsonHoldsCardNumber({ card: 4111111111111111 })).toBe(true)
  expect(jsonHoldsCardNumber({ '4111111111111111': true })).toBe(true)
  expect(jsonHoldsCardNumber({ a: [1, 2, null, true, 'b'], c: { d: 4111 } })).toBe(false)
})

test('takes time in proportion to the text, whatever it is', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...'0123456789 -.+a'), { maxLength: 200 }), (parts) => {
      expect(typeof holdsCardNumber(parts.join(''))).toBe('boolean')
    }),
  )
  const started = performance.now()
  for (const part of ['1 ', '4 ', '64.', '6', 'DE89 ']) holdsCardNumber(part.repeat(100_000))
  expect(performance.now() - started).toBeLessThan(2_000)
})

test('finds a number at the end of as many groups as a text may have (attack 2)', () => {
  const groups = '1 '.repeat(10_000)
  expect(holdsCardNumber(`${groups}4111 1111 1111 1111`)).toBe(true)
  expect(holdsCardNumber(`${groups}4111 1111 1111 1112`)).toBe(false)
})
