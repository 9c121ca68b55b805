import { createHash, randomBytes } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'

/** Seconds of a time step, and how many steps a clock may be off, each way (RFC 6238, sections 4.1 and 5.2). */
const stepSeconds = 30
const stepsOff = 1

/** Says how many authenticators one user may have. */
export const mostAuthenticators = 5

/** Says for how long a sign-in waits for its second factor. */
export const pendingMs = 5 * 60_000

/** A new secret of an authenticator, 160 bits (RFC 4226, section 4) in base 32. */
export function newTotpSecret(): string {
  return new Secret({ size: 20 }).base32
}

/** The address by which an authenticator takes a secret over, for a picture. */
export function otpauthUri(secret: string, names: { tenant: string; email: string }): string {
  const issuer = names.tenant.replaceAll(':', ' ')
  return new TOTP({ issuer, label: names.email, secret: Secret.fromBase32(secret) }).toString()
}

/** A code as somebody typed it, without spaces and hyphens, in lower case. */
const typed = (code: string): string => code.replace(/[\s-]/g, '').toLowerCase()

/**
 * The time step of a code that may be taken now: of this step, the one before or the one behind, and later than the last one
 * that was taken. Null for any other.
 */
export function acceptedStep(
  secret: string,
  code: string,
  { now, lastStep }: { now: Date; lastStep: number | null },
): number | null {
  const token = typed(code)
  if (!/^\d{6}$/.test(token)) return null
  const timestamp = now.getTime()
  const off = new TOTP({ secret: Secret.fromBase32(secret) }).validate({ token, timestamp, window: stepsOff })
  if (off === null) return null
  const step = Math.floor(timestamp / 1000 / stepSeconds) + off
  return lastStep === null || step > lastStep ? step : null
}

const codesAtOnce = 10
const letters = 'abcdefghijklmnopqrstuvwxyz234567'

/** New recovery codes: 80 random bits each, in base 32 and four groups. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: codesAtOnce }, () =>
    Array.from(randomBytes(16), (byte) => letters[byte % letters.length]!)
      .join('')
      .replace(/(.{4})(?=.)/g, '$1-'),
  )
}

/** Returns what is stored of a recovery code, SHA-256 in hexadecimal; null for what is none, however it is typed. */
export function recoveryHash(code: string): string | null {
  const text = typed(code)
  return /^[a-z2-7]{16}$/.test(text) ? createHash('sha256').update(text).digest('hex') : null
}
