import type { ClientBase } from 'pg'
import { uuidv7 } from '../kernel/id'
import { notePlatformAction } from './platform-trail'

/** The platform's legal entity, as its documents name it. */
export interface Seller {
  /** The first day on which documents name it, ISO 8601. */
  validFrom: string
  legalName: string
  street: string
  postalCode: string | null
  city: string
  /** ISO 3166-1 alpha-2. */
  country: string
  taxId: string
  email: string | null
}

/** Describes what the caller can correct: its message says how. */
export class SellerError extends Error {}

const limits = { legalName: 255, street: 255, postalCode: 20, city: 100, taxId: 30, email: 254 } as const

/**
 * Tells which legal entity issues documents from a day on. What was issued stays as it is.
 * @param client a connection as the owner (the migrator's URL), in a transaction
 * @throws SellerError for a value that documents cannot have
 */
export async function addSeller(client: ClientBase, seller: Seller): Promise<void> {
  for (const [name, most] of Object.entries(limits) as [keyof typeof limits, number][]) {
    const value = seller[name]
    if (value !== null && (value.trim() === '' || [...value].length > most))
      throw new SellerError(`${name} must have 1 to ${most} characters`)
  }
  if (!isDay(seller.validFrom)) throw new SellerError(`"${seller.validFrom}" is no day such as 2027-01-31`)
  const known = await client.query('SELECT FROM tenancy.countries WHERE iso_code_2 = $1', [seller.country])
  if (known.rowCount === 0) throw new SellerError(`"${seller.country}" is no country of ISO 3166-1 alpha-2`)
  const { validFrom, legalName, street, postalCode, city, country, taxId, email } = seller
  await client.query(
    `INSERT INTO tenancy.sellers (id, valid_from, legal_name, street, postal_code, city, country, tax_id, email)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [uuidv7(), validFrom, legalName, street, postalCode, city, country, taxId, email],
  )
  await notePlatformAction(client, 'ADD_SELLER', null, seller)
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false
  const time = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}
