import { createHash, randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import bcrypt from 'bcrypt'
import { overloaded } from '../errors'
import { hashingQueue, type HashingLane } from './hashing-queue'
import { passwordRounds } from './password-rounds'

/**
 * Each fills a core for a fifth of a second or more: half of the cores is left to everything else, and of the four threads that
 * Node has for such work the one that looks up addresses and reads files.
 */
export const hashesAtOnce = Math.min(3, Math.max(1, Math.floor(availableParallelism() / 2)))
const hashing = hashingQueue(hashesAtOnce, 50 * hashesAtOnce)

/** Takes whoever says nothing of themselves, such as a command. */
const nobody: HashingLane = { stranger: '' }

/**
 * Asks whether a password can be looked at soon, for those in this lane. Ask before an attempt is counted: who is sent away made none.
 * @throws ApiError OVERLOADED when more wait than are done in some ten seconds
 */
export function assertRoomForPassword(lane: HashingLane): void {
  if (hashing.isFullFor(lane)) throw overloaded()
}

/** bcrypt reads 72 bytes and ignores the rest: longer passwords would be equal to their beginning. */
const maxBytes = 72

/**
 * The form of a password that is hashed: equal texts must be equal bytes, whichever keyboard wrote them (NIST SP 800-63B,
 * section 3.1.1.2). Null when bcrypt would not read it to its end.
 */
export function passwordForm(password: string): string | null {
  const form = password.normalize('NFKC')
  return Buffer.byteLength(form) <= maxBytes ? form : null
}

/**
 * The hash to store of a password.
 * @param rounds lower only in tests, which make many users
 * @throws RangeError when the password is longer than 72 bytes
 * @throws ApiError OVERLOADED when much waits in this lane of somebody who is known
 */
export async function hashPassword(
  password: string,
  rounds: number = passwordRounds,
  lane: HashingLane = nobody,
): Promise<string> {
  const form = passwordForm(password)
  if (form === null) throw new RangeError(`a password has at most ${maxBytes} bytes`)
  if ('known' in lane) assertRoomForPassword(lane)
  return hashing.run(lane, () => bcrypt.hash(form, rounds))
}

/** A well-formed hash that no password has: comparing with it costs what comparing with a real one does. */
const unmatched = (rounds: number): string => `$2b$${String(rounds).padStart(2, '0')}$${'.'.repeat(53)}`

/** The rounds that a hash was made with; null for what is no hash of bcrypt. */
function roundsOf(hash: string): number | null {
  const digits = /^\$2[aby]\$(\d\d)\$/.exec(hash)?.[1]
  return digits === undefined ? null : Number(digits)
}

/** Tells whether a hash was made with fewer rounds than they are today, so that a right password is hashed anew. */
export function isHashOutdated(hash: string, rounds: number = passwordRounds): boolean {
  return (roundsOf(hash) ?? rounds) < rounds
}

/**
 * Tells whether the password has this hash. Without a hash (there is no such user, or one without a password), for a
 * password that is too long and for a hash of fewer rounds it costs the same, so that the time tells nothing.
 * @param rounds lower only in tests
 */
export async function verifyPassword(
  password: string,
  hash: string | null,
  rounds: number = passwordRounds,
  lane: HashingLane = nobody,
): Promise<boolean> {
  const form = passwordForm(password)
  const possible = hash !== null && form !== null
  const compared = possible ? hash : unmatched(rounds)
  const text = form ?? ''
  return hashing.run(lane, async () => {
    const equal = await bcrypt.compare(text, compared)
    await fillUp(compared, rounds)
    return possible && equal
  })
}

/** Costs what is lacking from a hash, or a salt, to one of so many rounds: 2^r and 2^r + … + 2^(rounds - 1) make 2^rounds together. */
async function fillUp(hash: string, rounds: number): Promise<void> {
  for (let r = roundsOf(hash) ?? rounds; r < rounds; r++) await bcrypt.compare('', unmatched(r))
}

/** The part of a hash that is random, and tells nothing of the password: with it a password gives the same hash again. */
export function saltOf(hash: string): string {
  return hash.slice(0, 29)
}

/** The digest of a hash, SHA-256 in hexadecimal: it tells whether a hash is the right one to whoever does not have it. */
export function digestOf(hash: string): string {
  return createHash('sha256').update(hash).digest('hex')
}

/**
 * The hash of a password with a salt that is known, for what keeps its digest alone. Without a salt (there is no such account) and
 * for a password that is too long it costs the same, with a salt of fewer rounds too, and no account has what it returns.
 */
export async function hashWithSalt(
  password: string,
  salt: string | null,
  rounds: number = passwordRounds,
  lane: HashingLane = nobody,
): Promise<string> {
  const form = passwordForm(password)
  const used = salt ?? saltOf(unmatched(rounds))
  const hash = await hashing.run(lane, async () => {
    const made = await bcrypt.hash(form ?? '', used)
    await fillUp(used, rounds)
    return made
  })
  return form === null || salt === null ? '' : hash
}

/** A password to hand over once: 120 random bits. */
export function oneTimePassword(): string {
  return randomBytes(15).toString('base64url')
}
