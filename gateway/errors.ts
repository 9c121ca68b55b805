import { GraphQLError, type GraphQLFormattedError } from 'graphql'
import { overloaded, rateLimited } from '../kernel/errors'
import { maskError } from '../kernel/execution/mask-error'
import type { Logger } from '../kernel/process/log'

/**
 * Returns what a client sees of any error that leaves the gateway: its message if it is one of ours or the protocol's,
 * else "Internal server error"; `extensions` are `code` and `traceId` and nothing else.
 *
 * @param foreignSubgraphs the subgraphs are somebody else's (a gateway over a plain supergraph): what they say of
 *   their own errors is passed on, message and code; errors of the gateway itself are masked as ever
 */
export function answerError(
  error: unknown,
  requestId: string,
  log: Logger,
  foreignSubgraphs: boolean,
): GraphQLFormattedError {
  if (foreignSubgraphs && error instanceof GraphQLError && error.extensions['serviceName'] !== undefined) {
    const { message, path, extensions } = error
    return {
      message,
      ...(path && { path }),
      extensions: { code: String(extensions['code']), traceId: requestId },
    }
  }
  return maskError(inOurCodes(error), requestId, log).toJSON()
}

/**
 * A refusal that waiting ends: the whole request is answered with a status of its own and `Retry-After`.
 * @param seconds how long to wait
 */
export function refusedForNow(code: 'RATE_LIMITED' | 'OVERLOADED', seconds: number): GraphQLError {
  const { message, extensions } = code === 'RATE_LIMITED' ? rateLimited(seconds) : overloaded(seconds)
  const headers = new Map([['retry-after', String(seconds)]])
  const http = { status: code === 'RATE_LIMITED' ? 429 : 503, headers }
  return new GraphQLError(message, { extensions: { ...extensions, http } })
}

/** The refusals of Apollo Server that have a code of ours. */
function inOurCodes(error: unknown): unknown {
  if (!(error instanceof GraphQLError)) return error
  const code = String(error.extensions['code'])
  if (code !== 'BAD_REQUEST' && !isRefusal(error)) return error
  return new GraphQLError(error.message, { path: error.path, extensions: { code: 'BAD_USER_INPUT' } })
}

/** Apollo Server's refusals without a code (a persisted query whose hash does not match) carry their HTTP status. */
function isRefusal(error: GraphQLError): boolean {
  const http = error.extensions['http'] as { status?: number } | undefined
  return error.extensions['code'] === undefined && http?.status === 400
}
