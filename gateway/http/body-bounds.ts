/** Describes how much one request body may hold. */
export interface BodyBounds {
  bytes: number
  /** Members of objects and items of lists, all levels together, and the objects and lists themselves. */
  values: number
}

/** Bounds of a body of nobody known: several times the largest document that an anonymous caller may send. */
export const anonymousBody: BodyBounds = { bytes: 64 * 1024, values: 1000 }
/** Says how many values the body of somebody signed in may hold: several times the largest list that is taken. */
export const mostBodyValues = 10_000
/** Levels of objects and lists in one another: twice those that variables may have. */
export const deepestBody = 64

/** Texts up to here cannot hold more values than anybody may send, and what they hold is little. */
export const harmlessLength = 2 * anonymousBody.values

/** The way in which a body goes beyond its bounds. */
export type BodyFault = 'values' | 'depth'

const [quote, comma, backslash] = [34, 44, 92]
const isOpening = (code: number) => code === 91 || code === 123
const isClosing = (code: number) => code === 93 || code === 125

/**
 * Tells whether a JSON text goes beyond a number of values or levels, before it is parsed: what a parser makes of many
 * members or levels takes a thousand times as long. Looks at each character outside of strings once, jumps over strings,
 * and ends at the fault. A text that is no JSON has no fault here that its parser would not find.
 */
export function bodyFault(text: string, mostValues: number): BodyFault | null {
  if (text.length <= harmlessLength) return null
  let [values, depth] = [0, 0]
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      at = closingQuote(text, at)
      if (at < 0) return null
    } else if (code === comma) values++
    else if (isOpening(code)) {
      values++
      if (++depth > deepestBody) return 'depth'
    } else if (isClosing(code)) depth--
    if (values > mostValues) return 'values'
  }
  return null
}

/** The place of the quote that ends a string; -1 when none does. */
function closingQuote(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let escapes = 0
    while (text.charCodeAt(at - 1 - escapes) === backslash) escapes++
    if (escapes % 2 === 0) return at
  }
  return -1
}
