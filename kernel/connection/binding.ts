import { AsyncLocalStorage } from 'node:async_hooks'
import type pg from 'pg'
import { isUuid } from '../id'
import type { StatementNames } from './statement-names'

/** Names whose data a statement may see, and for whom it runs. */
export interface Binding {
  /** A UUID; null: no tenant, so that reading a tenant's table fails (22P02). */
  tenantId: string | null
  /** The acting user, a UUID; null: the system. */
  actorId?: string | null
  /** At most 200 printable characters. */
  requestId?: string | null
  /** Says how long a statement may take, where that is less than any other may. */
  timeoutMs?: number
  /**
   * Says of whose connections it takes one, where not of the tenant's own: `anonymous`, of those that all callers who are not
   * signed in share, whatever tenant they name; `trail`, of the tenant's writer of recorded reads.
   */
  share?: 'anonymous' | 'trail'
}

/**
 * Says how the binding travels: `prepared` in the statement's own message batch, as a prepared statement · `unnamed`
 * the same without any named statement, for PgBouncer before 1.21 · `pipeline` as a pipelined transaction, by pg's
 * public interface alone.
 */
export type BindingMode = 'prepared' | 'unnamed' | 'pipeline'

export type IsolationLevel = 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE'

/**
 * The tenant of the running code, as a second opinion: a statement for any other tenant throws before it is sent.
 * Nothing is ever bound from it, since a pool runs callbacks in the context of whoever released the connection.
 */
export const tenantScope = new AsyncLocalStorage<string | null>()

/** One checkout's binding, as it is sent. */
export interface Bound {
  /** Null on an unbound client. */
  readonly binding: Binding | null
  /** The parameters of `bindText`. */
  readonly settings: readonly string[]
  /** The text that begins its transaction, which its first statement brings along; null: single statements. */
  readonly begin: string | null
  /** A binding covers any number of single statements, or one transaction: true once it has begun one. */
  used: boolean
}

/** Says how a transaction begins. */
export interface Beginning {
  isolation?: IsolationLevel
}

/**
 * Sets the binding until the end of the transaction, which is the end of the message batch unless BEGIN was sent. In the
 * condition, so that no row has to be sent and read.
 */
export const bindText =
  "SELECT WHERE num_nulls(set_config('app.tenant_id', $1, true), set_config('app.actor_id', $2, true), " +
  "set_config('app.request_id', $3, true), set_config('statement_timeout', $4, true)) > 0"

/** The binding's own prepared statement on every connection. */
export const bindName = 'tenant_binding'

// eslint-disable-next-line no-control-regex -- control characters are what is refused
const printable = /^[^\x00-\x1f\x7f]{0,200}$/

/** Throws when the binding is malformed. `statementTimeoutMs` 0: no time limit. `beginning`: it is for a transaction. */
export function boundTo(binding: Binding | null, statementTimeoutMs: number, beginning?: Beginning): Bound {
  const { tenantId, actorId, requestId } = binding ?? { tenantId: null }
  if (tenantId !== null && !isUuid(tenantId)) throw new Error('The tenant id to bind is not a UUID')
  if (actorId != null && !isUuid(actorId)) throw new Error('The actor id to bind is not a UUID')
  if (!printable.test(requestId ?? '')) throw new Error('The request id to bind is not short printable text')
  const { timeoutMs = statementTimeoutMs } = binding ?? {}
  const allowedMs = statementTimeoutMs === 0 ? timeoutMs : Math.min(timeoutMs, statementTimeoutMs)
  const settings = [tenantId ?? '', actorId ?? '', requestId ?? '', String(allowedMs)]
  const isolation = beginning?.isolation ? ` ISOLATION LEVEL ${beginning.isolation}` : ''
  return { binding, settings, begin: beginning ? `START TRANSACTION${isolation}` : null, used: false }
}

/** Throws when code that runs in a tenant's scope sends a statement bound otherwise. */
export function checkScope(bound: Bound): void {
  const scope = tenantScope.getStore()
  if (scope === undefined || scope?.toLowerCase() === bound.binding?.tenantId?.toLowerCase()) return
  throw new Error('The statement is bound to another tenant than the code that sends it')
}

/** Describes what a bound statement needs to know of its connection. */
export interface Session {
  /** The binding under which the last batch outside a transaction was sent: the current transaction is its. */
  begun: Bound | null
  readonly mode: BindingMode
  readonly names: StatementNames
  /** Says how the columns of a prepared statement's rows are read, by its name. */
  readonly parsers: Map<string, readonly Parser[]>
  getTransactionStatus(): pg.TransactionStatus
  getTypeParser(oid: number, format: 'text'): Parser
  /** Tells whoever listens of a statement that is about to be sent. */
  tell(bound: Bound, statement: { text: string; values?: readonly unknown[] }): void
}

/** Reads one value as PostgreSQL prints it. */
export type Parser = (text: string) => unknown

/** Describes where a statement stands: see {@link placeOf}. */
export type Place = 'alone' | 'begin' | 'first' | 'inside'

const begin = /^(?:\s|--[^\n]*\n|\/\*[^]*?\*\/)*(?:begin|start\s+transaction)\b/i

/**
 * Finds where a statement stands, decided when it is sent and by the protocol's state, not by its text: alone (the
 * binding goes before it), beginning a transaction (the binding follows it), first in a transaction (BEGIN and the
 * binding go before it) or inside one (nothing to add). Throws, before anything is sent, when the connection's
 * transaction has ended or belongs to another binding.
 */
export function placeOf(session: Session, bound: Bound, text: string): Place {
  if (session.getTransactionStatus() !== 'I') {
    if (session.begun !== bound) throw new Error('The tenant binding changed inside a transaction')
    bound.used = true
    return 'inside'
  }
  if (bound.used) throw new Error('This transaction has ended: begin another one with transaction()')
  session.begun = bound
  const begins = begin.test(text)
  if (!begins && bound.begin === null) return 'alone'
  if (!bound.binding) throw new Error('A transaction needs a tenant binding: use transaction()')
  bound.used = true
  return begins ? 'begin' : 'first'
}
