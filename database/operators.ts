import type { ClientBase } from 'pg'
import { uuidv7 } from '../kernel/id'
import type { KeyProvider } from '../kernel/encryption/key-provider'
import { normalEmail } from '../kernel/schema/text'
import { unwrapFactor, wrapFactor } from '../kernel/sign-in/operator-factor'
import { digestOf, saltOf } from '../kernel/sign-in/password'
import { notePlatformAction } from './platform-trail'

/** The scopes that an operator of the platform can hold, and what they allow. Every operator holds the first. */
export const operatorScopes = {
  'tenancy:platform:read': 'List the tenants and what was done to them',
  'tenancy:platform:tenants':
    'Create, suspend and reactivate tenants, schedule their deletion, help one whose only administrator is locked out',
  'tenancy:platform:enter': 'Enter a tenant to read what is not sensitive, for a reason and a time',
  'tenancy:platform:sensitive':
    'Enter a tenant to read what is sensitive too: pay, assessments, findings, details of the trail',
  'tenancy:platform:billing': 'Publish plans and prices; issue, credit and settle invoices of the platform',
} as const
export type OperatorScope = keyof typeof operatorScopes

export interface OperatorRow {
  email: string
  name: string
  status: 'ACTIVE' | 'DISABLED'
  scopes: string[]
  lastSignInAt: Date | null
}

/** Describes what the caller can correct: its message says how. */
export class OperatorError extends Error {}

/**
 * Adds an operator, whose password must be replaced at the first sign-in.
 * @param client a connection as the owner (the migrator's URL)
 * @returns the operator's id
 * @throws OperatorError for an address that is malformed or taken, and for a scope that there is not
 */
export async function createOperator(
  client: ClientBase,
  operator: { email: string; name: string; scopes: readonly string[]; passwordHash: string },
): Promise<string> {
  const email = normalEmail(operator.email)
  if (!/^[^\s@]+@[^\s@]+$/.test(email) || email.length > 254)
    throw new OperatorError(`"${operator.email}" is not an e-mail address`)
  if (!operator.name.trim() || operator.name.length > 200)
    throw new OperatorError('The name must have 1 to 200 characters')
  const unknown = operator.scopes.filter((scope) => !Object.hasOwn(operatorScopes, scope))
  if (unknown.length > 0)
    throw new OperatorError(
      `There is no scope ${unknown.join(', ')}: take some of ${Object.keys(operatorScopes).join(', ')}`,
    )
  const id = uuidv7()
  const scopes = [...new Set(['tenancy:platform:read', ...operator.scopes])]
  const added = await client.query(
    `INSERT INTO identity.operators (id, email, name, scopes, password_salt, password_digest)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (email) DO NOTHING`,
    [id, email, operator.name.trim(), scopes, saltOf(operator.passwordHash), digestOf(operator.passwordHash)],
  )
  if (added.rowCount === 0) throw new OperatorError(`There is an operator ${email} already`)
  await notePlatformAction(client, 'CREATE_OPERATOR', null, { operatorId: id, email, scopes })
  return id
}

/** All operators by address. */
export async function listOperators(client: ClientBase): Promise<OperatorRow[]> {
  const { rows } = await client.query<OperatorRow>(
    `SELECT email, name, status, scopes, last_sign_in_at AS "lastSignInAt" FROM identity.operators ORDER BY email`,
  )
  return rows
}

/**
 * Gives an operator another password, which must be replaced at the next sign-in; the second factor is made anew then, and all
 * sessions end. One who was disabled is active again.
 * @throws OperatorError when there is no such operator
 */
export async function resetOperatorPassword(
  client: ClientBase,
  email: string,
  passwordHash: string,
): Promise<void> {
  await changeOperator(client, email, {
    ...{ status: 'ACTIVE', salt: saltOf(passwordHash), digest: digestOf(passwordHash) },
    action: 'RESET_OPERATOR_PASSWORD',
  })
}

/**
 * Takes an operator's way in: no sign-in, and every session and entry ends with the next request.
 * @throws OperatorError when there is no such operator
 */
export async function disableOperator(client: ClientBase, email: string): Promise<void> {
  await changeOperator(client, email, {
    ...{ status: 'DISABLED', salt: null, digest: null },
    action: 'DISABLE_OPERATOR',
  })
}

/** A password that is given must be replaced at the next sign-in. */
async function changeOperator(
  client: ClientBase,
  email: string,
  change: {
    status: OperatorRow['status']
    salt: string | null
    digest: string | null
    action: 'RESET_OPERATOR_PASSWORD' | 'DISABLE_OPERATOR'
  },
): Promise<void> {
  const changed = await client.query<{ id: string }>(
    `UPDATE identity.operators SET status = $2, password_salt = coalesce($3, password_salt), password_digest = coalesce($4, password_digest),
            password_change_required = password_change_required OR $3 IS NOT NULL, updated_at = now(),
            factor_key_id = CASE WHEN $3 IS NULL THEN factor_key_id END,
            factor_secret = CASE WHEN $3 IS NULL THEN factor_secret END,
            factor_confirmed_at = CASE WHEN $3 IS NULL THEN factor_confirmed_at END,
            factor_last_step = CASE WHEN $3 IS NULL THEN factor_last_step END
      WHERE email = $1 RETURNING id`,
    [normalEmail(email), change.status, change.salt, change.digest],
  )
  const [row] = changed.rows
  if (!row)
    throw new OperatorError(`There is no operator ${normalEmail(email)}: see npm run operator -- list`)
  await client.query(
    'UPDATE identity.operator_sessions SET revoked_at = now() WHERE operator_id = $1 AND revoked_at IS NULL',
    [row.id],
  )
  await notePlatformAction(client, change.action, null, { operatorId: row.id, email: normalEmail(email) })
}

/**
 * Wraps the secrets of operators' authenticators with the provider's current master key, where another one wraps them.
 * @returns how many
 */
export async function rewrapOperatorFactors(client: ClientBase, provider: KeyProvider): Promise<number> {
  const { rows } = await client.query<{ id: string; masterKeyId: string; wrapped: string }>(
    `SELECT id, factor_key_id AS "masterKeyId", factor_secret AS wrapped FROM identity.operators
      WHERE factor_key_id <> $1`,
    [await provider.currentKeyId()],
  )
  let count = 0
  for (const { id, ...former } of rows) {
    const anew = await wrapFactor(provider, id, await unwrapFactor(provider, id, former))
    // Who got another factor meanwhile has it under the current key.
    const changed = await client.query(
      'UPDATE identity.operators SET factor_key_id = $3, factor_secret = $4 WHERE id = $1 AND factor_secret = $2',
      [id, former.wrapped, anew.masterKeyId, anew.wrapped],
    )
    count += changed.rowCount ?? 0
  }
  return count
}
