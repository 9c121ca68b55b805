/**
 * JSON that says exactly what it holds. JavaScript reads numbers as doubles and keeps the last of several members of one
 * name, both without a word; here such texts are refused, or their numbers become texts.
 */

/** The digits of a number without needless zeros, and its power of ten: equal for equal numbers, however written. */
function normalNumber(text: string): string {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  const digits = whole + fraction
  let [start, end] = [0, digits.length]
  while (digits[start] === '0') start++
  while (end > start && digits[end - 1] === '0') end--
  return start === end
    ? `${sign}0`
    : `${sign}${digits.slice(start, end)}e${Number(power) - fraction.length + digits.length - end}`
}

/**
 * Tells whether a number, as JSON or GraphQL writes it, is still the same once it was read: `-0` and 20 digits are not.
 */
export function isExactNumber(text: string): boolean {
  if (text.length < 16 && !/[eE]|^-0/.test(text)) return true
  const number = Number(text)
  if (!Number.isFinite(number)) return false
  const normal = normalNumber(text)
  if (normal === normalNumber(String(number))) return true
  // Some write all 17 digits that a double can have, and mean the double: 0.10000000000000001.
  return text.includes('.') && normal === normalNumber(number.toPrecision(17))
}

/** Numbers that may be inexact, where JSON has its numbers: most texts have none. Texts may look like one, too. */
const suspicious = /(?:^|[:,[\s])-?(?:\d[\d.]{15}|\d[\d.]*[eE]|(?<=-)0)/

/** The place after a string that begins here. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    const code = text.charCodeAt(at)
    if (code === 92) at++
    else if (code === 34 || Number.isNaN(code)) return at + 1
  }
}

/** The place after a number that begins here. */
function numberEnd(text: string, start: number): number {
  let at = start + 1
  while ('0123456789.eE+-'.includes(text.charAt(at)) && at < text.length) at++
  return at
}

const isNumberStart = (character: string | undefined) =>
  character === '-' || (character !== undefined && character >= '0' && character <= '9')

/**
 * A valid JSON text whose inexact numbers are texts of their digits: `{"n": 9007199254740993}` becomes
 * `{"n": "9007199254740993"}`. For what others wrote and cannot be asked about.
 */
export function withExactNumbers(text: string): string {
  if (!suspicious.test(text)) return text
  const parts: string[] = []
  let kept = 0
  for (let at = 0; at < text.length;) {
    if (text[at] === '"') at = stringEnd(text, at)
    else if (isNumberStart(text[at])) {
      const end = numberEnd(text, at)
      const number = text.slice(at, end)
      if (!isExactNumber(number)) {
        parts.push(text.slice(kept, at), `"${number}"`)
        kept = end
      }
      at = end
    } else at++
  }
  return parts.length === 0 ? text : parts.join('') + text.slice(kept)
}

/** A JSON text holds what cannot be read exactly. The message names the place and says what to do. */
export class InexactJson extends Error {}

/**
 * Reads JSON that somebody sent.
 *
 * @throws SyntaxError when it is none
 * @throws InexactJson when a number would be rounded, or a name comes twice in an object
 */
export function parseExactJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  if (suspicious.test(text) || countNames(text) !== countMembers(value)) refuseInexact(text)
  return value
}

/** Says how many names of members a text has; a text that looks like one counts too. */
function countNames(text: string): number {
  const name = /"\s*:/g
  let count = 0
  while (name.test(text)) count++
  return count
}

/** Says how many members the objects of a value have. */
function countMembers(value: unknown): number {
  let count = 0
  const open: unknown[] = [value]
  while (open.length > 0) {
    const one = open.pop()
    if (typeof one !== 'object' || one === null) continue
    const inner: unknown[] = Object.values(one)
    if (!Array.isArray(one)) count += inner.length
    for (const each of inner) if (typeof each === 'object' && each !== null) open.push(each)
  }
  return count
}

/** An object or a list that is being read: the names it had so far, and where in it the reader is. */
interface Level {
  names: Set<string> | null
  at: string | number
  beforeName: boolean
}

/** @throws InexactJson at the first fault of a valid JSON text */
function refuseInexact(text: string): void {
  const levels: Level[] = []
  const place = (path: readonly Level[]) => path.map(({ at }) => at).join('.') || 'the whole'
  for (let at = 0; at < text.length;) {
    const level = levels.at(-1)
    const character = text[at]!
    if (character === '"') {
      const end = stringEnd(text, at)
      if (level?.names && level.beforeName) {
        const name = JSON.parse(text.slice(at, end)) as string
        if (level.names.has(name))
          throw new InexactJson(
            `${place([...levels.slice(0, -1), { ...level, at: name }])}: the name comes twice in its object: send it once`,
          )
        level.names.add(name)
        Object.assign(level, { at: name, beforeName: false })
      }
      at = end
    } else if (isNumberStart(character)) {
      const end = numberEnd(text, at)
      const number = text.slice(at, end)
      if (!isExactNumber(number)) throw new InexactJson(`${place(levels)}: ${inexact(number)}`)
      at = end
    } else {
      if (character === '{') levels.push({ names: new Set(), at: '', beforeName: true })
      else if (character === '[') levels.push({ names: null, at: 0, beforeName: false })
      else if (character === '}' || character === ']') levels.pop()
      else if (character === ',' && level) {
        if (level.names) level.beforeName = true
        else level.at = Number(level.at) + 1
      }
      at++
    }
  }
}

/** Why a number is refused. */
export function inexact(number: string): string {
  const shown = number.length > 50 ? `${number.slice(0, 50)}…` : number
  return `the number ${shown} cannot be held exactly: send it as text`
}
