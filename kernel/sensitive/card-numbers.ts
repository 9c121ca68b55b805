const uuid = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi
const iban = /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b/g
/** Digits with at most one separator between two of them, and the plus of a telephone number. */
const digitRun = /(\+?)(\d(?:[ \t.\-_/\u00a0\u2009\u2010-\u2014]?\d){12,})/g

/** Digits that the numbers of an issuer begin with, and how many digits they have. */
const issuers: readonly (readonly [RegExp, readonly number[]])[] = [
  [/^4/, [13, 16, 19]], // Visa
  [/^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]], // Mastercard
  [/^3[47]/, [15]], // American Express
  [/^3(0[0-5]|6|8)/, [14, 16, 19]], // Diners Club
  [/^35(2[89]|[3-8])/, [16, 17, 18, 19]], // JCB
  [/^220[0-4]/, [16, 17, 18, 19]], // Mir
  [/^(5[0678]|6)/, [13, 14, 15, 16, 17, 18, 19]], // Maestro, Discover, UnionPay
]

/** The most digits of a telephone number, E.164. */
const longestTelephone = 15
/** Lengths of card numbers, in digits. */
const [fewestDigits, mostDigits] = [13, 19]

/**
 * Tells whether a text holds a payment card number: as many digits as an issuer's numbers have, which begin as they do
 * and end in their check digit (Luhn), written together or in groups. UUIDs, IBANs and telephone numbers with a plus are
 * none. Takes time in proportion to the text.
 */
export function holdsCardNumber(text: string): boolean {
  if (text.length < fewestDigits) return false
  const plain = text
    .normalize('NFKC')
    .replace(uuid, 'id')
    .replace(iban, (found) => (isIban(found.replaceAll(' ', '')) ? 'iban' : found))
  for (const [, plus, written] of plain.matchAll(digitRun)) {
    const run = digitsOf(written!)
    if (plus && run.digits.length <= longestTelephone) continue
    if (runHoldsCardNumber(run)) return true
  }
  return false
}

/** Digits that stand together or in groups. */
interface DigitRun {
  digits: string
  /** Tells of each place, the end included, whether a group begins or ends there. */
  bounds: Uint8Array
  /** Sums of the check's digits before a place, those at even places doubled, and those at odd ones. */
  sums: readonly [even: Uint32Array, odd: Uint32Array]
}

function digitsOf(written: string): DigitRun {
  const codes = Buffer.alloc(written.length)
  const bounds = new Uint8Array(written.length + 1)
  const [even, odd] = [new Uint32Array(written.length + 1), new Uint32Array(written.length + 1)]
  let place = 0
  bounds[0] = 1
  for (let at = 0; at < written.length; at++) {
    const code = written.charCodeAt(at)
    const digit = code - 48
    if (digit < 0 || digit > 9) {
      bounds[place] = 1
      continue
    }
    const doubled = digit < 5 ? digit * 2 : digit * 2 - 9
    const isEven = place % 2 === 0
    codes[place] = code
    even[place + 1] = even[place]! + (isEven ? doubled : digit)
    odd[place + 1] = odd[place]! + (isEven ? digit : doubled)
    place++
  }
  bounds[place] = 1
  return { digits: codes.toString('latin1', 0, place), bounds, sums: [even, odd] }
}

/** A number begins and ends with groups: what follows it, such as its last day, may stand in the same run. */
function runHoldsCardNumber({ digits, bounds, sums }: DigitRun): boolean {
  for (let first = 0; first + fewestDigits <= digits.length; first++) {
    if (bounds[first] === 0) continue
    const last = Math.min(first + mostDigits, digits.length)
    for (let end = first + fewestDigits; end <= last; end++) {
      if (bounds[end] === 0) continue
      // ISO/IEC 7812-1, annex B: from the check digit, which is the last one, each second digit is doubled.
      const sum = sums[end % 2 === 0 ? 0 : 1]
      if ((sum[end]! - sum[first]!) % 10 === 0 && isIssued(digits.slice(first, end))) return true
    }
  }
  return false
}

function isIssued(digits: string): boolean {
  return issuers.some(([prefix, lengths]) => lengths.includes(digits.length) && prefix.test(digits))
}

/** Tells whether JSON holds a payment card number, in a text, a number or a name. */
export function jsonHoldsCardNumber(value: unknown): boolean {
  if (typeof value === 'string') return holdsCardNumber(value)
  if (typeof value === 'number') return holdsCardNumber(String(value))
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([key, inner]) => holdsCardNumber(key) || jsonHoldsCardNumber(inner))
}

/** ISO 13616: the remainder of all by 97 is 1. */
function isIban(text: string): boolean {
  const moved = `${text.slice(4)}${text.slice(0, 4)}`
  let remainder = 0
  for (const character of moved) {
    for (const digit of String(parseInt(character, 36))) remainder = (remainder * 10 + Number(digit)) % 97
  }
  return remainder === 1
}
