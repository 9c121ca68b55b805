import { randomFillSync } from 'node:crypto'

const pool = Buffer.alloc(4096)
let used = pool.length

/**
 * A UUID version 7 (RFC 9562, section 5.7): 48 bits of Unix time in milliseconds, then 74 random bits.
 * Rows made together stand together in the primary key's index.
 */
export function uuidv7(now: number = Date.now()): string {
  if (used + 10 > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const random = pool.toString('hex', used, used + 10)
  used += 10
  const time = now.toString(16).padStart(12, '0')
  const variant = ((parseInt(random[3]!, 16) & 0x3) | 0x8).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${random.slice(7, 19)}`
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Tells whether the text is a UUID as PostgreSQL prints it (any version, any case, with hyphens). */
export function isUuid(text: string): boolean {
  return uuid.test(text)
}

/** The instant in a UUID version 7, ISO 8601; null for other versions and for years after 9999. */
export function instantOf(id: string): string | null {
  const milliseconds = parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
  return id[14] === '7' && milliseconds < Date.UTC(10_000, 0) ? new Date(milliseconds).toISOString() : null
}
