import type { HTTPGraphQLResponse } from '@apollo/server'

/** A whole HTTP answer. */
export interface Answer {
  status: number
  type: string
  body: string
  headers?: Record<string, string>
}

export const notFound: Answer = {
  status: 404,
  type: 'text/plain; charset=utf-8',
  body: 'Not found. GraphQL is at /graphql.\n',
}

export function json(status: number, value: unknown): Answer {
  return { status, type: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n` }
}

/** What Apollo Server answered. */
export function complete({ status = 200, headers, body }: HTTPGraphQLResponse): Answer {
  if (body.kind !== 'complete') throw new Error('Incremental delivery is not offered')
  const type = headers.get('content-type') ?? 'application/json; charset=utf-8'
  const extra = Object.fromEntries(
    [...headers].filter(([name]) => name === 'allow' || name === 'www-authenticate'),
  )
  return { status, type, body: body.string, headers: extra }
}
