import { GraphQLError } from 'graphql'
import { missingOf, type Missing } from './access/missing'
import type { Logger } from './process/log'

/** The codes of this product's own errors, as they stand in `extensions.code`. */
export const errorCodes = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'PASSWORD_CHANGE_REQUIRED',
  'SECOND_FACTOR_REQUIRED',
  'STEP_UP_REQUIRED',
  'BAD_USER_INPUT',
  'CONFLICT',
  'RATE_LIMITED',
  'QUERY_TOO_COSTLY',
  'DOCUMENT_NOT_KNOWN',
  'SUBGRAPH_UNAVAILABLE',
  'OVERLOADED',
  'SUBGRAPH_INVALID_ANSWER',
  'ERRORS_OMITTED',
  'INTERNAL_SERVER_ERROR',
] as const
export type ErrorCode = (typeof errorCodes)[number]

/** The codes of the GraphQL protocol itself, made by Apollo Server and by {@link protocolError}. */
export const protocolCodes = [
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
  'OPERATION_RESOLUTION_FAILURE',
  'BAD_REQUEST',
] as const

const knownCodes: ReadonlySet<unknown> = new Set<string>([...errorCodes, ...protocolCodes])

interface ErrorExtensions {
  retryAfterSeconds?: number
  missing?: Missing
}

/** An error whose message is written for the caller and may leave the product. */
export class ApiError extends GraphQLError {
  constructor(code: ErrorCode, message: string, cause?: unknown, extensions?: ErrorExtensions) {
    super(message, {
      extensions: { code, ...extensions },
      originalError: cause instanceof Error ? cause : undefined,
    })
    this.name = 'ApiError'
  }
}

export function unauthenticated(message = 'Sign in first'): ApiError {
  return new ApiError('UNAUTHENTICATED', message)
}

/** @param missing left out where it is not for the caller to know */
export function forbidden(message = 'You may not do this', missing?: Missing): ApiError {
  return new ApiError('FORBIDDEN', message, undefined, missing && { missing })
}

/** Somebody else knows the viewer's password: nothing is done before it was changed. */
export function passwordChangeRequired(): ApiError {
  return new ApiError('PASSWORD_CHANGE_REQUIRED', 'Change your password first: call changePassword')
}

/** The viewer's tenant asks for a second factor, and the days in which to add one are over. */
export function secondFactorRequired(): ApiError {
  return new ApiError(
    'SECOND_FACTOR_REQUIRED',
    'Add a second factor first: call enrollTotp, then confirmMfaDevice',
  )
}

export function badUserInput(message: string): ApiError {
  return new ApiError('BAD_USER_INPUT', message)
}

export function conflict(message: string): ApiError {
  return new ApiError('CONFLICT', message)
}

export function rateLimited(retryAfterSeconds: number): ApiError {
  const message = `Too many requests. Try again in ${retryAfterSeconds} seconds.`
  return new ApiError('RATE_LIMITED', message, undefined, { retryAfterSeconds })
}

/** The caller's share of what this process can do at once is used up, or everybody's is. */
export function overloaded(retryAfterSeconds = 1): ApiError {
  const message = 'Too much is going on at once. Try again in a moment.'
  return new ApiError('OVERLOADED', message, undefined, { retryAfterSeconds })
}

export function queryTooCostly(message: string): ApiError {
  return new ApiError('QUERY_TOO_COSTLY', message)
}

const partDoesNotAnswer = 'Part of the service does not answer. Try again.'

/** The error for a service that this product needs and that does not answer. The cause is for the log. */
export function unavailable(message = partDoesNotAnswer, cause?: unknown): ApiError {
  return new ApiError('SUBGRAPH_UNAVAILABLE', message, cause)
}

/** A fault in a mutation's input that its caller can correct. */
export interface UserError<Code extends string = string> {
  code: Code
  message: string
  /** Path of the field at fault below `input`; null when it is none in particular. */
  field: string[] | null
}

/**
 * Thrown inside `mutate()`: the transaction is rolled back and the errors become the payload's `userErrors`. Thrown elsewhere, by a
 * query, the first of them is the caller's BAD_USER_INPUT.
 */
export class UserErrors extends Error {
  constructor(readonly errors: readonly UserError[]) {
    super(errors.map((error) => `${error.code}: ${error.message}`).join('; '))
    this.name = 'UserErrors'
  }
}

/** The codes that every subgraph's user errors have; `tx.fail` takes those of its own subgraph as well. */
export type CommonUserErrorCode =
  | 'NOT_FOUND'
  | 'STALE_VERSION'
  | 'DUPLICATE'
  | 'INVALID'
  | 'REFERENCE_NOT_FOUND'
  | 'IN_USE'
  | 'IDEMPOTENCY_KEY_REUSED'

/** The codes by which a rule's columns are refused (`kernel/writing/rule-columns.ts`): whose rule has writers has these too. */
export type RuleUserErrorCode = 'PERMISSION_NOT_HELD' | 'OWN_RECORD'

/** One user error, to be thrown: `throw userError('DUPLICATE', 'This e-mail is taken', ['email'])`. */
export function userError(
  code: CommonUserErrorCode | RuleUserErrorCode,
  message: string,
  field: readonly string[] | null = null,
): UserErrors {
  return new UserErrors([{ code, message, field: field && [...field] }])
}

/** The error at the root of GraphQL's own wrapping: what a resolver threw, or what it gave as its cause. */
function rootCause(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError ? rootCause(error.originalError) : error
}

/** graphql-js refused an argument at execution (a null variable in a non-null place): it names the argument's node. */
function isArgumentRefusal(error: unknown): boolean {
  if (!(error instanceof GraphQLError)) return false
  return (error.nodes?.length ?? 0) > 0 && !error.path && !error.originalError
}

/** PostgreSQL refused a text with the NUL character, which GraphQL strings may hold and its texts may not. */
function isUnstorableText(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '22021'
}

/**
 * Holds what the database's refusals mean to the caller, by SQLSTATE, or by the operating system's word for the
 * connection. The driver's own messages name servers and tables, so they stay in the log.
 */
const databaseRefusals: readonly { code: ErrorCode; when: RegExp; message: string }[] = [
  {
    // Connection exceptions (08), resources used up (53, a full disk among them), shutdown and start (57P).
    code: 'SUBGRAPH_UNAVAILABLE',
    when: /^(08|53|57P0)|^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH)$/,
    message: partDoesNotAnswer,
  },
  {
    // Serialization failures and deadlocks that came again and again, and locks that were not to be had.
    code: 'CONFLICT',
    when: /^(40001|40P01|55P03)$/,
    message: 'Somebody else changed the same at the same moment. Try again.',
  },
  {
    code: 'QUERY_TOO_COSTLY',
    when: /^57014$/,
    message: 'This took longer than allowed. Ask for less, or try again.',
  },
]

function databaseRefusal(error: unknown): { code: ErrorCode; message: string } | undefined {
  if (!(error instanceof Error)) return undefined
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (error.message === 'Connection terminated unexpectedly') return databaseRefusals[0]
  return code ? databaseRefusals.find(({ when }) => when.test(code)) : undefined
}

/**
 * Returns what may leave the product of any error: known codes with their message as they are, everything else
 * `INTERNAL_SERVER_ERROR` "Internal server error". What is our fault is logged with its cause, once. The path and
 * locations stay; `extensions` are `code` and `traceId` only, `retryAfterSeconds` where waiting helps, and `missing` of what is forbidden. Masking
 * twice changes nothing.
 */
export function maskError(error: unknown, requestId: string, log: Logger): GraphQLError {
  const { message, locations, path, extensions } = (error ?? {}) as Partial<GraphQLError>
  const cause = rootCause(error)
  if (isUnstorableText(cause)) return maskError(unstorableText(path, locations), requestId, log)
  let code: unknown = extensions?.['code']
  if (cause instanceof UserErrors)
    return maskError(
      located(cause.errors[0]!.message, locations, path, { code: 'BAD_USER_INPUT' }),
      requestId,
      log,
    )
  const refusal = knownCodes.has(code) ? undefined : databaseRefusal(cause)
  if (!knownCodes.has(code))
    code = refusal?.code ?? (isArgumentRefusal(cause) ? 'BAD_USER_INPUT' : 'INTERNAL_SERVER_ERROR')
  const isInternal = code === 'INTERNAL_SERVER_ERROR'
  if ((isInternal || refusal || code === 'SUBGRAPH_UNAVAILABLE') && extensions?.['traceId'] === undefined)
    log.error({ requestId, path, err: cause }, 'request failed')
  const shown = isInternal ? 'Internal server error' : (refusal?.message ?? String(message))
  const wait = extensions?.['retryAfterSeconds']
  const waiting = typeof wait === 'number' && { retryAfterSeconds: wait }
  const missing = code === 'FORBIDDEN' && missingOf(extensions?.['missing'])
  return located(brief(shown), locations, path, { code, traceId: requestId, ...waiting, ...missing })
}

const longestMessage = 1000

/** A message that repeats a long value, shortened: what is wrong with it stands before and behind the value. */
function brief(message: string): string {
  if (message.length <= longestMessage) return message
  const quoted = message.replace(/"([^"]{200,})"/g, (_, value: string) => `"${value.slice(0, 100)}…"`)
  const half = longestMessage / 2
  return quoted.length <= longestMessage ? quoted : `${quoted.slice(0, half)} … ${quoted.slice(-half)}`
}

function unstorableText(path: GraphQLError['path'], locations: GraphQLError['locations']): GraphQLError {
  return located('A text may not contain the NUL character', locations, path, { code: 'BAD_USER_INPUT' })
}

/** A GraphQLError with given locations: its constructor derives them from nodes only, which do not leave the product. */
function located(
  message: string,
  locations: GraphQLError['locations'],
  path: GraphQLError['path'],
  extensions: Record<string, unknown>,
): GraphQLError {
  const error = new GraphQLError(message, { path, extensions })
  delete error.stack
  return locations ? Object.defineProperty(error, 'locations', { value: locations, enumerable: true }) : error
}
