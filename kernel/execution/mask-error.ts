import { GraphQLError } from 'graphql'
import { missingOf } from '../access/missing'
import { errorCodes, protocolCodes, unavailable, UserErrors, type ErrorCode } from '../errors'
import type { Logger } from '../process/log'

const knownCodes: ReadonlySet<unknown> = new Set<string>([...errorCodes, ...protocolCodes])

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
    message: unavailable().message,
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
  if (cause instanceof UserErrors)
    return maskError(
      located(cause.errors[0]!.message, locations, path, { code: 'BAD_USER_INPUT' }),
      requestId,
      log,
    )
  let code: unknown = extensions?.['code']
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
