import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import bcrypt from 'bcrypt'
import { overloaded } from '../errors'
import { hashingQueue } from './hashing-queue'

/** bcrypt's cost: 2^12 rounds. The sources ask for at least 10. */
export const passwordRounds = 12

/**
 * Each fills a core for a fifth of a second or more: half of the cores is left to everything else, and of the four threads that
 * Node has for such work the one that looks up addresses and reads files.
 */
export const hashesAtOnce = Math.min(3, Math.max(1, Math.floor(availableParallelism() / 2)))
const hashing = hashingQueue(hashesAtOnce, 50 * hashesAtOnce)

/**
 * Asks whether a password can be looked at soon. Ask before an attempt is counted: who is sent away made none.
 * @throws ApiError OVERLOADED when more wait than are done in some ten seconds
 */
export function assertRoomForPassword(): void {
  if (hashing.isFull) throw overloaded()
}

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
  return hashing.run(() => bcrypt.hash(normal(password), rounds))
}

/** A well-formed hash that no password has: comparing with it costs what comparing with a real one does. */
const unmatched = `$2b$${passwordRounds}$${'.'.repeat(53)}`

/**
 * Tells whether the password has this hash. Without a hash (there is no such user, or one without a password) and for a
 * password that is too long, it costs the same one comparison, so that the time tells nothing.
 */
export async function verifyPassword(password: string, hash: string | null): Promise<boolean> {
  const possible = hash !== null && fits(password)
  const equal = await hashing.run(() => bcrypt.compare(normal(password), possible ? hash : unmatched))
  return possible && equal
}

/** A password to hand over once: 120 random bits. */
export function oneTimePassword(): string {
  return randomBytes(15).toString('base64url')
}
