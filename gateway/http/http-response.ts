/** A whole HTTP answer. */
export interface HttpResponse {
  status: number
  type: string
  body: string
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
  const type = headers.get('content-type') ?? 'application/json; charset=utf-8'
  const extra = Object.fromEntries([...headers].filter(([name]) => askedByErrors.has(name)))
  return { status, type, body: `${JSON.stringify({ errors, data })}\n`, headers: extra }
}
