import type { GraphQLResolveInfo } from 'graphql'
import { maskOf } from './writing/audit'
import { violationOf } from './writing/constraints'
import type { SubgraphContext } from './context'
import { unauthenticated, UserErrors, type UserError } from './errors'
import { performOnce } from './writing/idempotency'
import type { MutationTransaction } from './writing/mutation-transaction'
import { perform } from './writing/perform'

export { writeAudit, type AuditEntry } from './writing/audit'
export { keyLifeMs } from './writing/idempotency'
export type { MutationTransaction, Values } from './writing/mutation-transaction'

export interface MutateOptions {
  /**
   * A client's key for this request, unique within tenant and mutation: for 30 days the same key and input give the first
   * answer and change nothing, whoever of the tenant sends them. Needs `input` and `info`.
   */
  idempotencyKey?: string | null
  /** The argument `input`, and what tells the mutation and its input's type. */
  input?: unknown
  info?: GraphQLResolveInfo
  /** The tenant is made by this very mutation, so it has no key yet: the trail shows no digests of what it masks. */
  isNewTenant?: boolean
}

/** PostgreSQL's codes for "run the transaction again": serialization failure and deadlock. */
const retryable = new Set(['40001', '40P01'])
const attempts = 3

/**
 * Runs one mutation: a single transaction with the changes, their audit rows and their events. User errors and violated
 * constraints come back as `userErrors` and leave nothing behind; any other failure is thrown after the rollback.
 * `work` may run again after a deadlock, so it must not touch anything but `tx`. `Code` comes from the payload that the
 * resolver answers: the subgraph's generated `XUserErrorCode`.
 */
export async function mutate<T extends object, Code extends string>(
  context: SubgraphContext,
  work: (tx: MutationTransaction<Code>) => Promise<T>,
  options: MutateOptions = {},
): Promise<Partial<T> & { userErrors: UserError<Code>[] }> {
  if (!context.binding.tenantId) throw unauthenticated()
  for (let attempt = 1; ; attempt++) {
    try {
      const mask = options.isNewTenant ? () => '[masked]' : await maskOf(context)
      const result = await context.db.transaction(context.binding, (transaction) => {
        const once = () => perform(context, transaction, work, mask)
        const { idempotencyKey, input, info } = options
        if (idempotencyKey === null || idempotencyKey === undefined) return once()
        if (!info) throw new Error('a mutation with an idempotency key needs its info')
        return performOnce(context, transaction, { key: idempotencyKey, input, info }, once)
      })
      context.loaders.clear()
      return { ...result, userErrors: [] }
    } catch (error) {
      if (
        attempt < attempts &&
        error instanceof Error &&
        'code' in error &&
        retryable.has(String(error.code))
      )
        continue
      const failure = error instanceof UserErrors ? error : await violationOf(context, error)
      if (!failure) throw error
      return { userErrors: failure.errors } as Partial<T> & { userErrors: UserError<Code>[] }
    }
  }
}
