import { GraphQLError } from 'graphql'
import { forbidden, passwordChangeRequired, secondFactorRequired, unauthenticated } from '../../kernel/errors'
import type { LoggedEvent } from '../../kernel/events/event-log'
import { uuidv7 } from '../../kernel/id'
import type { GatewayContext } from '../context'
import type { Executor, GatewayRequest } from '../execution/query-plan'
import type { Asking } from '../operations/asking'
import type { Rates } from '../operations/rates'
import { isExpiry } from '../operations/viewer'
import type { LiveOperation } from './live-operation'
import { CredentialsExpired, StreamOutdated, StreamRefused, type Asked } from './live-stream'
import type { RootScopes } from './root-scopes'
import type { RowGate } from './row-gate'

/** Asks the graph for rows of one stream, each time as the viewer of that moment. */
export interface RowAsker {
  operation: LiveOperation
  tenantId: string
  variables: Readonly<Record<string, unknown>>
  /** Estimated cost of one answer. */
  cost: number
  /** The viewer as they were found last. */
  viewer: Asking
  /** Finds out again who asks. */
  resolveViewer(): Promise<Asking | null>
  /** @param isFollowUp it is asked again what was asked before: no attempt of the viewer's */
  contextOf(asking: Asking, isFollowUp: boolean): GatewayContext
  /** Tells whether scopes suffice for a field of `Query`: what they do not suffice for is not asked. */
  mayAsk: RootScopes
  gate: Pick<RowGate, 'run'>
  /** Tells whether nobody waits for the answer any more. */
  isOver(): boolean
  /** Holds for which types, and with which rights, an answer was given: what follows is no attempt of the viewer's. */
  answered: Set<string>
  execute: Executor
  rates: Rates
  formatError(error: unknown): object
}

/** Tells whether an error ends a stream; whatever else stands in the way may pass. */
export const isEnd = (error: unknown): boolean =>
  error instanceof StreamRefused || error instanceof CredentialsExpired || error instanceof StreamOutdated

/** Milliseconds until something is asked again that a part of the product did not answer. */
const askAgainMs = 500
/** Answers that say no to a row or to what is asked of it. */
const denials: ReadonlySet<unknown> = new Set([
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'PASSWORD_CHANGE_REQUIRED',
  'SECOND_FACTOR_REQUIRED',
  'STEP_UP_REQUIRED',
])
/** Denials that say that the viewer must do something first, whatever the row. */
const demands: ReadonlySet<unknown> = new Set([...denials].filter((code) => code !== 'FORBIDDEN'))
/** Answers that say that there is none for now. */
const passing: ReadonlySet<unknown> = new Set(['SUBGRAPH_UNAVAILABLE', 'OVERLOADED', 'RATE_LIMITED'])

/**
 * The viewer of this moment, who may go on.
 * @throws StreamRefused or CredentialsExpired when the stream is over for them; whatever else stands in the way
 */
export async function presentViewer(asker: RowAsker): Promise<Asking> {
  const { resolveViewer, tenantId, operation, mayAsk } = asker
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
  for (const type of operation.named)
    if (!mayAsk(operation.queryFor(type)!.field, asking!.scopes)) throw new StreamRefused(forbidden())
  return (asker.viewer = asking!)
}

/** Why somebody may not follow changes; null when they may ask. */
export function refusalOf(asking: Asking | null): GraphQLError | null {
  if (!asking?.tenantId) return unauthenticated()
  if (asking.passwordChangeRequired) return passwordChangeRequired()
  return asking.secondFactorRequired ? secondFactorRequired() : null
}

/**
 * Asks for a changed row with the query of its type, when it is its turn.
 * @throws StreamRefused, CredentialsExpired, StreamOutdated
 */
export async function askForRow(asker: RowAsker, event: LoggedEvent, cursor: string): Promise<Asked> {
  const { operation, tenantId, gate, formatError } = asker
  const { aggregateType: type, aggregateId } = event
  const query = operation.queryFor(type)!
  let answer: Awaited<ReturnType<typeof rowOf>> | null
  try {
    answer = await gate.run(tenantId, async () => {
      if (asker.isOver()) return null
      const asking = await presentViewer(asker)
      return asker.mayAsk(query.field, asking.scopes) ? rowOf(asker, asking, type, aggregateId) : null
    })
  } catch (error) {
    if (isEnd(error)) throw error
    return { waitMs: waitOf(error) }
  }
  if (!answer) return 'nothing'
  const { data, errors } = answer
  if (!query.keys.some((key) => data[key] != null)) return withoutRow(operation, type, errors)
  const shown = errors.map((error) => formatError(inMessage(error, operation.rootKey)))
  const message = { data: operation.changed(event, cursor, data) }
  return { result: shown.length > 0 ? { ...message, errors: shown } : message }
}

/** Meaning of an answer without its row: nothing to see, to be asked again, or @throws the end of the stream. */
function withoutRow(operation: LiveOperation, type: string, errors: readonly GraphQLError[]): Asked {
  for (const error of errors) {
    const code = codeOf(error)
    const isNamed = operation.named.includes(type)
    if (code === 'GRAPHQL_VALIDATION_FAILED' || (code === 'BAD_USER_INPUT' && !error.path))
      throw new StreamOutdated()
    if (code === 'BAD_USER_INPUT' || (demands.has(code) && isAboutRow(error) && isNamed))
      throw new StreamRefused(inMessage(error, operation.rootKey))
  }
  // Whatever its place: a child that must not be null takes the row with it.
  const failure = errors.find((error) => !denials.has(codeOf(error)))
  return failure ? { waitMs: waitOf(failure), isFault: !passing.has(codeOf(failure)) } : 'nothing'
}

/**
 * Asks for a row that nobody has, of each type that the client named: what is refused then is refused at once, and not by
 * silence.
 * @throws what the graph answers in place of "not found"
 */
export async function assertMayAsk(asker: RowAsker, asking: Asking): Promise<void> {
  const { operation, gate, tenantId } = asker
  for (const type of operation.named) {
    const { errors } = await gate.run(tenantId, () => rowOf(asker, asking, type, uuidv7()))
    const refusal = errors.find(isAboutRow)
    if (refusal) throw inMessage(refusal, operation.rootKey)
  }
}

/** @throws GraphQLError RATE_LIMITED when the tenant's streams have asked for enough in this minute */
async function rowOf(asker: RowAsker, asking: Asking, type: string, id: string) {
  const { execute, variables, contextOf, rates, tenantId, cost, answered } = asker
  const { document, operation, source, queryHash, idVariable, keys } = asker.operation.queryFor(type)!
  rates.streams(tenantId, 1 + cost)
  const rights = `${type} ${asking.permissionVersion}`
  const isFollowUp = !asker.operation.named.includes(type) || answered.has(rights)
  const request = {
    request: { query: source, variables: { ...variables, [idVariable]: id } },
    context: contextOf(asking, isFollowUp),
    document,
    operation,
    operationName: operation.name?.value ?? null,
    source,
    queryHash,
  } as unknown as GatewayRequest
  const answer = await execute(request)
  const data = (answer.data ?? {}) as Record<string, unknown>
  const errors = answer.errors ?? []
  const isDenied = errors.some((error) => codeOf(error) === 'FORBIDDEN')
  if (isDenied || keys.some((key) => data[key] != null)) answered.add(rights)
  return { data, errors }
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
