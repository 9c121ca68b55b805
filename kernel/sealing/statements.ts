import { sign, verify } from 'node:crypto'
import type { TokenKeys } from '../sign-in/token-keys'

/** Says where a tenant's chain ended at a moment. */
export interface Checkpoint {
  format: 'tenantgraph audit checkpoint 1'
  tenantId: string
  position: number
  /** Of the entry at this position. */
  hash: string
  /** SHA-256 of the checkpoint before it, as it is kept; null for the first. */
  previous: string | null
  /** An instant, ISO 8601. */
  at: string
  /** Names the key that signed: its thumbprint (RFC 7638). */
  key: string
}

/** Entries that follow each other and are no longer kept. */
export interface CutRun {
  first: number
  last: number
  /** The hash of the entry before the first; null when that was cut earlier. */
  before: string | null
  /** The hash of the last one, which the next entry holds. */
  after: string
}

/** Says which entries of a tenant were dropped with an old month, and how the chain goes on behind them. */
export interface Cut {
  format: 'tenantgraph audit cut 1'
  tenantId: string
  /** YYYY-MM */
  month: string
  runs: CutRun[]
  at: string
  key: string
}

/** Folders of a tenant's statements, among its files. */
export const checkpointFolder = 'audit/checkpoints/'
export const cutFolder = 'audit/cuts/'

/** The key of a checkpoint's file: in the order of positions. */
export function checkpointKey(position: number): string {
  return `${checkpointFolder}${String(position).padStart(16, '0')}.json`
}

/** Keys that sign statements about the audit trail, and those that are accepted. */
export type AuditKeys = TokenKeys

/**
 * A signed statement as it is kept: one line of JSON with the statement's text and the Ed25519 signature of exactly these
 * bytes, so that nobody has to write it anew to check it.
 * @throws Error in a process without the signing key
 */
export function signed<S extends Checkpoint | Cut>(keys: AuditKeys, statement: Omit<S, 'key'>): string {
  const { privateKey, kid } = keys
  if (!privateKey) throw new Error('The key that signs the audit trail is missing: set AUDIT_PRIVATE_KEY')
  const text = JSON.stringify(sorted({ ...statement, key: kid }))
  const signature = sign(null, Buffer.from(text), privateKey).toString('base64url')
  return `${JSON.stringify({ signature, statement: text })}\n`
}

/**
 * Reads a kept statement.
 * @throws Error that says why it does not count
 */
export function statementIn(keys: Pick<AuditKeys, 'publicKeys'>, line: string): Checkpoint | Cut {
  let text: string
  let signature: string
  let statement: Checkpoint | Cut
  try {
    ;({ statement: text, signature } = JSON.parse(line) as { statement: string; signature: string })
    statement = JSON.parse(text) as Checkpoint | Cut
  } catch {
    throw new Error('it is no statement')
  }
  const key = keys.publicKeys.get(statement.key)
  if (!key) throw new Error(`it is signed with a key that is not accepted (${statement.key})`)
  if (!verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url')))
    throw new Error('its signature does not hold')
  return statement
}

const sorted = (statement: object): object =>
  Object.fromEntries(Object.entries(statement).sort(([a], [b]) => (a < b ? -1 : 1)))
