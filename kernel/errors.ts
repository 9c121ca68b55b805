import { GraphQLError } from 'graphql'
import type { Logger } from './process/log'

/** The codes of this product's own errors, as they stand in `extensions.code`. */
export const errorCodes = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'BAD_USER_INPUT',
  'CONFLICT',
  'RATE_LIMITED',
  'QUERY_TOO_COSTLY',
  'SUBGRAPH_UNAVAILABLE',
  'SUBGRAPH_INVALID_ANSWER',
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

/** An error whose message is written for the caller and may leave the product. */
export class ApiError extends GraphQLError {
  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(message, { extensions: { code }, originalError: cause instanceof Error ? cause : undefined })
    this.name = 'ApiError'
  }
}

export function unauthenticated(message = 'Sign in first'): ApiError {
  return new ApiError('UNAUTHENTICATED', message)
}

export function forbidden(message = 'You may not do this'): ApiError {
  return new ApiError('FORBIDDEN', message)
}

export function badUserInput(message: string): ApiError {
  return new ApiError('BAD_USER_INPUT', message)
}

export function conflict(message: string): ApiError {
  return new ApiError('CONFLICT', message)
}

export function rateLimited(retryAfterSeconds: number): ApiError {
  return new ApiError('RATE_LIMITED', `Too many requests. Try again in ${retryAfterSeconds} seconds.`)
}

export function queryTooCostly(message: string): ApiError {
  return new ApiError('QUERY_TOO_COSTLY', message)
}

/** Something this product needs does not answer. The cause is for the log. */
export function unavailable(
  message = 'Part of the service does not answer. Try again.',
  cause?: unknown,
): ApiError {
  return new ApiError('SUBGRAPH_UNAVAILABLE', message, cause)
}

/** Something in a mutation's input that its caller can correct. */
export interface UserError {
  code: string
  message: string
  /** Path of the field at fault below `input`; null when it is none in particular. */
  field: string[] | null
}

/** Thrown inside `mutate()`: the transaction is rolled back and the errors become the payload's `userErrors`. */
export class UserErrors extends Error {
  constructor(readonly errors: readonly UserError[]) {
    super(errors.map((error) => `${error.code}: ${error.message}`).join('; '))
    this.name = 'UserErrors'
  }
}

/** One user error, to be thrown: `throw userError('DUPLICATE', 'This e-mail is taken', ['email'])`. */
export function userError(code: string, message: string, field: readonly string[] | null = null): UserErrors {
  return new UserErrors([{ code, message, field: field && [...field] }])
}

/** The error at the root of GraphQL's own wrapping: what a resolver threw, or what it gave as its cause. */
function rootCause(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError ? rootCause(error.originalError) : error
}

/** graphql-js refused an argument at execution (a null variable in a non-null place): it names the argument's node. */
function isArgumentRefusal(error: unknown): boolean {
  return (
    error instanceof GraphQLError && (error.nodes?.length ?? 0) > 0 && !error.path && !error.originalError
  )
}

/** PostgreSQL refused a text with the NUL character, which GraphQL strings may hold and its texts may not. */
function isUnstorableText(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '22021'
}

/**
 * What may leave the product of any error: known codes with their message as they are, everything else
 * `INTERNAL_SERVER_ERROR` "Internal server error". What is our fault is logged with its cause, once. The path and
 * locations stay; `extensions` are `code` and `traceId` only. Masking twice changes nothing.
 */
export function maskError(error: unknown, requestId: string, log: Logger): GraphQLError {
  const { message, locations, path, extensions } = (error ?? {}) as Partial<GraphQLError>
  const cause = rootCause(error)
  if (isUnstorableText(cause)) return maskError(unstorableText(path, locations), requestId, log)
  let code: unknown = extensions?.['code']
  if (!knownCodes.has(code)) code = isArgumentRefusal(cause) ? 'BAD_USER_INPUT' : 'INTERNAL_SERVER_ERROR'
  const isInternal = code === 'INTERNAL_SERVER_ERROR'
  if ((isInternal || code === 'SUBGRAPH_UNAVAILABLE') && extensions?.['traceId'] === undefined)
    log.error({ requestId, path, err: cause }, 'request failed')
  const shown = isInternal ? 'Internal server error' : String(message)
  return located(shown, locations, path, { code, traceId: requestId })
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
