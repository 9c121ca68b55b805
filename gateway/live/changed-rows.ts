import { GraphQLError } from 'graphql'
import { passwordChangeRequired, secondFactorRequired, unauthenticated } from '../../kernel/errors'
import type { LoggedEvent } from '../../kernel/events/event-log'
import { uuidv7 } from '../../kernel/id'
import type { GatewayContext } from '../context'
import type { Executor, GatewayRequest } from '../execution/query-plan'
import type { Asking } from '../operations/asking'
import type { Rates } from '../operations/rates'
import { isExpiry } from '../operations/viewer'
import type { LiveOperation, RowQuery } from './live-operation'
import { CredentialsExpired, StreamRefused, type Asked } from './live-stream'

/** Asks the graph for rows of one stream, each time as the viewer of that moment. */
export interface RowAsker {
  operation: LiveOperation
  tenantId: string
  variables: Readonly<Record<string, unknown>>
  /** Estimated cost of one answer. */
  cost: number
  /** Finds out again who asks. */
  resolveViewer(): Promise<Asking | null>
  contextOf(asking: Asking): GatewayContext
  execute: Executor
  rates: Rates
  formatError(error: unknown): object
}

/** Tells whether an error ends a stream; whatever else stands in the way may pass. */
export const isEnd = (error: unknown): boolean =>
  error instanceof StreamRefused || error instanceof CredentialsExpired

/** Milliseconds until something is asked again that a part of the product did not answer. */
const askAgainMs = 500
/** Answers that say no; all others say that nothing can be said now. */
const denials: ReadonlySet<unknown> = new Set([
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'PASSWORD_CHANGE_REQUIRED',
  'SECOND_FACTOR_REQUIRED',
  'STEP_UP_REQUIRED',
  'BAD_USER_INPUT',
  'GRAPHQL_VALIDATION_FAILED',
])

/**
 * The viewer of this moment, who may go on.
 * @throws StreamRefused or CredentialsExpired when the stream is over for them; whatever else stands in the way
 */
export async function presentViewer({ resolveViewer, tenantId }: RowAsker): Promise<Asking> {
  let asking: Asking | null
  try {
    asking = await resolveViewer()
  } catch (error) {
    if (isExpiry(error)) throw new CredentialsExpired()
    throw codeOf(error) === 'UNAUTHENTICATED' ? new StreamRefused(error) : error
  }
  const refusal = refusalOf(asking)
  if (refusal) throw new StreamRefused(refusal)
  if (asking!.tenantId !== tenantId) throw new StreamRefused(unauthenticated())
  return asking!
}

/** Why somebody may not follow changes; null when they may ask. */
export function refusalOf(asking: Asking | null): GraphQLError | null {
  if (!asking?.tenantId) return unauthenticated()
  if (asking.passwordChangeRequired) return passwordChangeRequired()
  return asking.secondFactorRequired ? secondFactorRequired() : null
}

/** Asks for a changed row with the query of its type. @throws StreamRefused, CredentialsExpired */
export async function askForRow(asker: RowAsker, event: LoggedEvent, cursor: string): Promise<Asked> {
  const { operation, rates, tenantId, cost, formatError } = asker
  const query = operation.queryFor(event.aggregateType)!
  let answer: Awaited<ReturnType<typeof rowOf>>
  try {
    const asking = await presentViewer(asker)
    rates.tenant(tenantId, 1 + cost)
    answer = await rowOf(asker, asking, query, event.aggregateId)
  } catch (error) {
    if (isEnd(error)) throw error
    return { waitMs: waitOf(error) }
  }
  const { data, errors } = answer
  if (!query.keys.some((key) => data[key] != null)) {
    const failure = errors.find((error) => isAboutRow(error) && !denials.has(codeOf(error)))
    return failure ? { waitMs: waitOf(failure) } : 'nothing'
  }
  const shown = errors.map((error) => formatError(inMessage(error, operation.rootKey)))
  const message = { data: operation.changed(event, cursor, data) }
  return { result: shown.length > 0 ? { ...message, errors: shown } : message }
}

/**
 * Asks for a row that nobody has, of each type that the client named: what is refused then is refused at once, and not by
 * silence.
 * @throws what the graph answers in place of "not found"
 */
export async function assertMayAsk(asker: RowAsker, asking: Asking): Promise<void> {
  for (const type of asker.operation.named) {
    const { errors } = await rowOf(asker, asking, asker.operation.queryFor(type)!, uuidv7())
    const refusal = errors.find(isAboutRow)
    if (refusal) throw inMessage(refusal, asker.operation.rootKey)
  }
}

async function rowOf(asker: RowAsker, asking: Asking, query: RowQuery, id: string) {
  const { execute, variables, contextOf } = asker
  const { document, operation, source, queryHash, idVariable } = query
  const request = {
    request: { query: source, variables: { ...variables, [idVariable]: id } },
    context: contextOf(asking),
    document,
    operation,
    operationName: operation.name?.value ?? null,
    source,
    queryHash,
  } as unknown as GatewayRequest
  const { data, errors } = await execute(request)
  return { data: (data ?? {}) as Record<string, unknown>, errors: errors ?? [] }
}

/** Tells whether an error is about the row as a whole. */
const isAboutRow = ({ path }: GraphQLError): boolean => (path?.length ?? 0) <= 1

/** The error of a query's answer at its place in the message that shows the answer. */
function inMessage(error: GraphQLError, rootKey: string): GraphQLError {
  const { message, path, extensions, originalError } = error
  return new GraphQLError(message, { path: path && [rootKey, ...path], extensions, originalError })
}

const codeOf = (error: unknown): unknown => (error as Partial<GraphQLError>)?.extensions?.['code']

function waitOf(error: unknown): number {
  const seconds = (error as Partial<GraphQLError>)?.extensions?.['retryAfterSeconds']
  return typeof seconds === 'number' ? seconds * 1000 : askAgainMs
}
