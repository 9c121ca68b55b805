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

/**
 * Tells whether a text holds a payment card number: as many digits as an issuer's numbers have, which begin as they do
 * and end in their check digit (Luhn), written together or in groups. UUIDs, IBANs and telephone numbers with a plus are
 * none.
 */
export function holdsCardNumber(text: string): boolean {
  if (text.length < 13) return false
  const plain = text
    .normalize('NFKC')
    .replace(uuid, 'id')
    .replace(iban, (found) => (isIban(found.replaceAll(' ', '')) ? 'iban' : found))
  for (const [, plus, written] of plain.matchAll(digitRun)) {
    const groups = written!.split(/\D/)
    if (plus && groups.join('').length <= longestTelephone) continue
    // What follows a number, such as its last day, may stand in the same run.
    for (let first = 0; first < groups.length; first++) {
      let digits = ''
      for (let last = first; last < groups.length && digits.length < 19; last++)
        if (isCardNumber((digits += groups[last]!))) return true
    }
  }
  return false
}

/** Tells whether JSON holds a payment card number, in a text, a number or a name. */
export function jsonHoldsCardNumber(value: unknown): boolean {
  if (typeof value === 'string') return holdsCardNumber(value)
  if (typeof value === 'number') return holdsCardNumber(String(value))
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([key, inner]) => holdsCardNumber(key) || jsonHoldsCardNumber(inner))
}

function isCardNumber(digits: string): boolean {
  return (
    issuers.some(([prefix, lengths]) => lengths.includes(digits.length) && prefix.test(digits)) &&
    hasCheckDigit(digits)
  )
}

/** ISO/IEC 7812-1, annex B. */
function hasCheckDigit(digits: string): boolean {
  let sum = 0
  for (let place = 0; place < digits.length; place++) {
    const digit = digits.charCodeAt(digits.length - 1 - place) - 48
    const doubled = place % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
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
