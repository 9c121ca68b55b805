/** An HTTP answer. */
export interface HttpResponse {
  status: number
  type: string
  body: string
  /**
   * In place of the body: what is sent as fast as the client takes it, for so many milliseconds at most. `end` is called once
   * nothing more is, however that came.
   */
  stream?: { chunks: AsyncIterable<string>; end: () => void; longestMs?: number }
  headers?: Record<string, string>
}

export const notFound: HttpResponse = {
  status: 404,
  type: 'text/plain; charset=utf-8',
  body: 'Not found. GraphQL is at /graphql.\n',
}

export function json(status: number, value: unknown): HttpResponse {
  return { status, type: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n` }
}

const askedByErrors: ReadonlySet<string> = new Set(['allow', 'www-authenticate', 'retry-after'])

/** An answer to GraphQL, with the status and those of the headers that errors ask for. */
export function httpResponseOf(
  status = 200,
  headers: ReadonlyMap<string, string>,
  { errors, data }: { errors?: readonly object[]; data?: unknown },
): HttpResponse {
  const wait = whenToTryAgain(errors, data)
  const type = headers.get('content-type') ?? 'application/json; charset=utf-8'
  const extra = Object.fromEntries([...headers].filter(([name]) => askedByErrors.has(name)))
  return {
    status: wait?.status ?? status,
    type,
    body: `${JSON.stringify({ errors, data })}\n`,
    headers: wait?.seconds === undefined ? extra : { ...extra, 'retry-after': String(wait.seconds) },
  }
}

/** Statuses of answers that are nothing but an error which passes by itself. */
const passing: Readonly<Record<string, number>> = {
  OVERLOADED: 503,
  RATE_LIMITED: 429,
  SUBGRAPH_UNAVAILABLE: 503,
}

/**
 * Returns what tells HTTP clients and proxies to ask again, where nothing at all was answered: no data, and errors that
 * pass. An operation that was executed and has no more than an unavailable subgraph to show keeps its status: GraphQL
 * clients read its errors.
 */
function whenToTryAgain(
  errors: readonly object[] = [],
  data: unknown,
): { status: number; seconds: number | undefined } | undefined {
  const extensions = errors.map((error) => (error as { extensions?: Record<string, unknown> }).extensions)
  const first = extensions[0]
  const status = passing[String(first?.['code'])]
  if (!status || !extensions.every((one) => passing[String(one?.['code'])])) return undefined
  const seconds = first!['retryAfterSeconds'] as number | undefined
  if (data === undefined) return { status, seconds }
  const isEmpty = data === null || Object.values(data as object).every((value) => value === null)
  return isEmpty && seconds !== undefined ? { status, seconds } : undefined
}
