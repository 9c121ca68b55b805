import { GraphQLError } from 'graphql'
import type { Missing } from './access/missing'

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

/** The error for a service that this product needs and that does not answer. The cause is for the log. */
export function unavailable(
  message = 'Part of the service does not answer. Try again.',
  cause?: unknown,
): ApiError {
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
