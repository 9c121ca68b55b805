/** Holds what of a text cannot be seen, or makes it look like another: no name has it. */
const invisible = /[\p{Cc}\p{Cs}\u00ad\u200b\u2028-\u202e\u2060\u2066-\u2069\ufeff]/u
/** The same for texts of several lines, in which people write right to left and break lines. */
const unprintable = /[\p{Cs}\u202d\u202e]|(?![\t\n\r])\p{Cc}/u

/** The form in which texts are kept and looked for: Unicode NFC, without white space around. */
export function normalText(text: string): string {
  return text.normalize('NFC').trim()
}

/**
 * Why a text in its normal form is refused, to be said after its field's name; null when it is not.
 * @param form `line` for names and other short texts, `multiline` for texts with line breaks
 */
export function textFault(text: string, form: 'line' | 'multiline'): string | null {
  if (text === '') return 'must not be empty'
  const refused = form === 'line' ? invisible : unprintable
  return refused.test(text) ? 'must not contain control characters or others that cannot be seen' : null
}

// The dot-atom form of RFC 5321 with a domain of two labels or more; quoted local parts and address literals are not
// used by people. The bounds are of the RFC: 64 for the local part, 254 in all.
const address =
  /^[\w.!#$%&'*+/=?^`{|}~\-\u0080-\u{10ffff}]{1,64}@(?=.{4,253}$)(?:[a-z0-9\u0080-\u{10ffff}](?:[a-z0-9\-\u0080-\u{10ffff}]{0,61}[a-z0-9\u0080-\u{10ffff}])?\.)+[a-z\u0080-\u{10ffff}][a-z0-9\-\u0080-\u{10ffff}]{0,61}[a-z0-9\u0080-\u{10ffff}]$/iu
const notInAddresses = /[\p{Cc}\p{Cf}\p{Cs}\p{Z}]/u

/** An e-mail address as it is kept and looked for: Unicode NFKC in lower case, without white space around. */
export function normalEmail(text: string): string {
  return text.normalize('NFKC').trim().toLowerCase().normalize('NFKC')
}

/** Tells whether a text is an e-mail address. */
export function isEmailAddress(text: string): boolean {
  if (text.length > 254 || notInAddresses.test(text)) return false
  const local = text.slice(0, text.indexOf('@'))
  return !local.startsWith('.') && !local.endsWith('.') && !local.includes('..') && address.test(text)
}
