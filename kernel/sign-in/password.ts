import { randomBytes } from 'node:crypto'
import bcrypt from 'bcrypt'

/** bcrypt's cost: 2^12 rounds. The sources ask for at least 10. */
export const passwordRounds = 12

/** bcrypt reads 72 bytes and ignores the rest: longer passwords would be equal to their beginning. */
const maxBytes = 72

/** Length is what makes a password strong; no rule asks for kinds of characters (NIST SP 800-63B, section 3.1.1.2). */
const minLength = 12

/** Equal texts must be equal bytes, whichever keyboard wrote them (NIST SP 800-63B, section 3.1.1.2). */
const normal = (password: string): string => password.normalize('NFKC')

/** Tells whether bcrypt would read the whole password. */
function fits(password: string): boolean {
  return Buffer.byteLength(normal(password)) <= maxBytes
}

/** Returns what is wrong with a password that somebody chose, for people; null when nothing is. */
export function passwordFault(password: string): string | null {
  if ([...normal(password)].length < minLength) return `A password has at least ${minLength} characters`
  return fits(password) ? null : `A password has at most ${maxBytes} bytes`
}

/**
 * The hash to store of a password.
 * @param rounds lower only in tests, which make many users
 * @throws RangeError when the password is longer than 72 bytes
 */
export async function hashPassword(password: string, rounds: number = passwordRounds): Promise<string> {
  if (!fits(password)) throw new RangeError(`a password has at most ${maxBytes} bytes`)
  return bcrypt.hash(normal(password), rounds)
}

/** A well-formed hash that no password has: comparing with it costs what comparing with a real one does. */
const unmatched = `$2b$${passwordRounds}$${'.'.repeat(53)}`

/**
 * Tells whether the password has this hash. Without a hash (there is no such user, or one without a password) and for a
 * password that is too long, it costs the same one comparison, so that the time tells nothing.
 */
export async function verifyPassword(password: string, hash: string | null): Promise<boolean> {
  const possible = hash !== null && fits(password)
  const equal = await bcrypt.compare(normal(password), possible ? hash : unmatched)
  return possible && equal
}

/** A password to hand over once: 120 random bits. */
export function oneTimePassword(): string {
  return randomBytes(15).toString('base64url')
}
