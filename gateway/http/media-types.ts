import type { IncomingHttpHeaders } from 'node:http'

const graphqlResponse = 'application/graphql-response+json'

/**
 * The media types that a client accepts. Who names none is given the type of the GraphQL over HTTP draft, whose statuses
 * tell a refused operation from an answered one.
 */
export function acceptOf({ accept }: IncomingHttpHeaders): string {
  return accept === undefined || accept === '' || accept.trim() === '*/*' ? graphqlResponse : accept
}

/** Tells whether a client names the draft's own media type, which no form, link or image can. */
export function namesGraphqlResponse({ accept }: IncomingHttpHeaders): boolean {
  return accept?.toLowerCase().includes(graphqlResponse) ?? false
}

/**
 * The status of an answer with errors. With `application/json` it says only whether the request was well formed: an
 * operation that is refused has 200, because clients of that media type read the body of no other.
 *
 * @param errors as they were thrown, before they were made safe to leave
 */
export function statusFor(type: string, status: number, errors: readonly unknown[]): number {
  const wellFormed = errors.every((error) => !isMalformed(error))
  return status === 400 && wellFormed && type.startsWith('application/json') ? 200 : status
}

/** Apollo Server's refusals of what is no GraphQL request have this code, or none beside their status. */
function isMalformed(error: unknown): boolean {
  const { extensions } = (error ?? {}) as { extensions?: Record<string, unknown> }
  return (
    extensions?.['code'] === 'BAD_REQUEST' ||
    (extensions?.['code'] === undefined && 'http' in (extensions ?? {}))
  )
}
