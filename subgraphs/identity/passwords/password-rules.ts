import { passwordForm } from '../../../kernel/sign-in'
import { isCommonPassword } from './common-passwords'

/** Length is what makes a password strong; no rule asks for kinds of characters (NIST SP 800-63B, section 3.1.1.2). */
const minLength = 12

/** So many characters do not follow from the one before. Fewer are what a finger does on a keyboard. */
const minSurprises = 6

/** Shorter words are in many passwords by chance, and count as a whole only. */
const minWord = 4

/** The words that people who know a user try first. */
export interface PasswordContext {
  email?: string
  /** Names of the user and of the tenant; null for one that is not known. */
  names?: readonly (string | null | undefined)[]
}

/**
 * Returns what is wrong with a password that somebody chose, for people; null when nothing is. It has to be long, and
 * nothing that is tried first: what many use, a repetition, a row of keys, a name (NIST SP 800-63B, section 3.1.1.2).
 */
export function passwordFault(password: string, context: PasswordContext = {}): string | null {
  const text = passwordForm(password)
  if (text === null) return 'A password has at most 72 bytes'
  if ([...text].length < minLength) return `A password has at least ${minLength} characters`
  const plain = text.toLowerCase()
  if (/^\s*$/.test(plain)) return 'A password is not blank'
  if (repeats(plain) || surprises(plain) < minSurprises)
    return 'A password does not repeat a few characters, and is no row of digits, letters or keys'
  if (isCommon(plain)) return 'This password is one that many people use, perhaps with digits around it'
  if (wordsOf(context).some((word) => isIn(word, plain)))
    return 'A password does not hold your name or address, nor the name of your organization'
  return null
}

/** Tells whether the text is a piece of less than 12 characters that comes again and again, the last time perhaps in part. */
function repeats(text: string): boolean {
  for (let period = 1; period < minLength && 2 * period <= text.length; period++)
    if (text.startsWith(text.slice(period))) return true
  return false
}

const rows = ['1234567890', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'qwertzuiop', 'yxcvbnm', 'azertyuiop']
const neighbours = new Set(rows.flatMap((row) => [...row].slice(1).map((key, place) => row[place]! + key)))

/** Counts the characters that are neither the one before again, nor its neighbour in the alphabet or on a keyboard. */
function surprises(text: string): number {
  const characters = [...text.replaceAll(/[\s\p{P}]+/gu, ' ')]
  return characters.filter((character, place) => {
    const former = characters[place - 1]
    if (former === undefined) return true
    if (Math.abs(character.codePointAt(0)! - former.codePointAt(0)!) <= 1) return false
    return !neighbours.has(former + character) && !neighbours.has(character + former)
  }).length
}

/** Letters by the digit or sign that stands for them where somebody wants one in a word. */
const disguises: Readonly<Record<string, string>> = {
  ...{ '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', '@': 'a', $: 's', '!': 'i', '+': 't' },
}

function undisguised(text: string): string {
  return text.replaceAll(/[013457@$!+]/g, (sign) => disguises[sign]!)
}

/** The text, and what is left of it without digits and signs around it. */
function isCommon(text: string): boolean {
  const core = text.replaceAll(/^[^\p{L}]+|[^\p{L}]+$/gu, '')
  const variants = [text, core, text.replaceAll(/[^\p{L}]+/gu, '')]
  return [...variants, ...variants.map(undisguised)].some(
    (variant) => variant !== '' && isCommonPassword(variant),
  )
}

const lettersOf = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '')

function wordsOf({ email = '', names = [] }: PasswordContext): string[] {
  const local = email.split('@', 1)[0]!
  const whole = [email, local, ...names.filter((name) => name !== null && name !== undefined)]
  return whole.flatMap((text) => [text, ...text.split(/[^\p{L}\p{N}]+/u)]).map(lettersOf)
}

function isIn(word: string, text: string): boolean {
  const forms = [lettersOf(text), lettersOf(undisguised(text))]
  if (word.length >= minWord) return forms.some((form) => form.includes(word))
  return word !== '' && forms.some((form) => form === word)
}
