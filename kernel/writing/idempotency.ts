import { createHash } from 'node:crypto'
import {
  getNullableType,
  isInputObjectType,
  isListType,
  type GraphQLInputType,
  type GraphQLResolveInfo,
} from 'graphql'
import type { Transaction } from '../connection/database'
import type { SubgraphContext } from '../context'
import { entityModels } from '../schema/entity-model'
import { conflict, userError } from '../errors'
import { isUuid } from '../id'
import { prepared } from '../statement'
import { entityNameOf, readRow } from './write'

/** Says how long a key is remembered after its first use, in milliseconds: 30 days. Later it is a new one. */
export const keyLifeMs = 30 * 24 * 60 * 60_000

/** A mutation that is done once, whoever of a tenant asks for it however often. */
export interface Once {
  /** The client's key for this request: unique within tenant and mutation. */
  key: string
  /** The argument `input` as the resolver got it. */
  input: unknown
  /** Names the mutation, and knows the type of its input. */
  info: GraphQLResolveInfo
}

const claimKey = `
  INSERT INTO shared.idempotency_keys AS k (tenant_id, operation, key, actor_id, input_hash, created_at)
  VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, operation, key) DO UPDATE
     SET actor_id = excluded.actor_id, input_hash = excluded.input_hash, created_at = excluded.created_at, result = NULL
   WHERE k.tenant_id = $1 AND k.created_at <= $7`
const rememberResult =
  'UPDATE shared.idempotency_keys SET result = $4 WHERE tenant_id = $1 AND operation = $2 AND key = $3'
const findFirst = `SELECT input_hash, actor_id, result FROM shared.idempotency_keys
    WHERE tenant_id = $1 AND operation = $2 AND key = $3`

/**
 * Claims the key, works, and remembers which rows the answer held. A second request with the key waits for the first to
 * end; it then gets the same rows, as they are now. Throws the user error IDEMPOTENCY_KEY_REUSED when its input means
 * something else, and CONFLICT when it is another user's who may not read what the first did.
 */
export async function performOnce<T extends object>(
  context: SubgraphContext,
  transaction: Transaction,
  { key, input, info }: Once,
  perform: () => Promise<T>,
): Promise<T> {
  const { length } = [...key]
  if (length < 1 || length > 255 || key.includes('\0'))
    throw userError('INVALID', 'idempotencyKey must have 1 to 255 characters', ['idempotencyKey'])
  const name = [context.binding.tenantId, info.fieldName, key]
  const hash = inputHash(info, input)
  const now = context.services.clock.now()
  const expired = new Date(now.getTime() - keyLifeMs)
  const claimed = await transaction.run(
    prepared(claimKey, [...name, context.binding.actorId, hash, now.toISOString(), expired.toISOString()]),
  )
  if (claimed === 0) return replay<T>(context, transaction, name, hash)
  const result = await perform()
  const answer = Object.entries(result).flatMap(([part, row]) => {
    const entity = typeof row === 'object' && row !== null ? entityNameOf(row) : undefined
    return entity ? [[part, entity, (row as { id: string }).id]] : []
  })
  transaction.atEnd(prepared(rememberResult, [...name, JSON.stringify(answer)]))
  return result
}

async function replay<T>(
  context: SubgraphContext,
  transaction: Transaction,
  name: readonly unknown[],
  hash: string,
): Promise<T> {
  const [first] = await transaction.rows(prepared(findFirst, [...name]))
  const [firstHash, actorId, answer] = (first ?? []) as [string?, string?, [string, string, string][]?]
  if (firstHash !== hash)
    throw userError(
      'IDEMPOTENCY_KEY_REUSED',
      'This idempotency key was used with another input: choose a new one',
      ['idempotencyKey'],
    )
  const isOwn = actorId === context.binding.actorId
  const result: Record<string, unknown> = {}
  for (const [part, entityName, id] of answer ?? []) {
    const model = [...entityModels(context.db.dataSource).values()].find((one) => one.name === entityName)!
    const row = await readRow(context, transaction, model, id, '')
    if (!isOwn && !(row && model.admits(context, row)))
      throw conflict('Another user has done this with the same idempotency key, and you may not read it')
    result[part] = row
  }
  return result as T
}

/** A hash of what an input means: equal for inputs that the mutation cannot tell apart. */
function inputHash({ parentType, fieldName }: GraphQLResolveInfo, input: unknown): string {
  const type = parentType.getFields()[fieldName]?.args.find(({ name }) => name === 'input')?.type
  if (!type) throw new Error(`${fieldName} has no argument input`)
  return createHash('sha256')
    .update(JSON.stringify(canonicalInput(type, input)))
    .digest('hex')
}

/**
 * The normal form of a parsed input: its objects by the order of names, its decimals without needless digits, its ids in
 * lower case. Defaults stand in it already; null is not the same as left out.
 */
export function canonicalInput(type: GraphQLInputType, value: unknown): unknown {
  if (value === null || value === undefined) return null
  const nullable = getNullableType(type)
  if (isListType(nullable)) {
    const items: readonly unknown[] = Array.isArray(value) ? value : [value]
    return items.map((item) => canonicalInput(nullable.ofType as GraphQLInputType, item))
  }
  if (isInputObjectType(nullable)) {
    const given = value as Readonly<Record<string, unknown>>
    return Object.values(nullable.getFields())
      .filter(({ name }) => given[name] !== undefined)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((field) => [field.name, canonicalInput(field.type, given[field.name])])
  }
  if (nullable.name === 'Decimal') return canonicalDecimal(String(value))
  if (nullable.name === 'ID') return isUuid(String(value)) ? String(value).toLowerCase() : value
  return sorted(value)
}

function canonicalDecimal(text: string): string {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)0*(\d*)(?:\.(\d*?)0*)?$/.exec(text) ?? []
  const digits = `${whole || '0'}${fraction && `.${fraction}`}`
  return digits === '0' ? digits : sign + digits
}

/** JSON with the members of its objects by the order of their names. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([name, member]) => [name, sorted(member)] as const)
  return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)))
}
