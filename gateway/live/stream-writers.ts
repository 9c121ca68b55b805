import type { ServerResponse } from 'node:http'

/** Writes one stream in the form that its client asked for. */
export interface StreamWriter {
  /** Begins: where the stream is, and after which milliseconds its client comes again. */
  begin(cursor: string, retryMs: number): void
  /** An answer of GraphQL, and where the stream is after it; null: it does not move. */
  next(result: object, cursor: string | null): void
  /** Shows that the connection lives, and where the stream is. */
  beat(cursor: string): void
  /** Ends a stream that is over. */
  complete(): void
  /** Ends a connection whose stream goes on over another. */
  reconnect(reason: string): void
}

/** The forms of streams, and how they write. */
export const streamForms = {
  sse: { type: 'text/event-stream; charset=utf-8', writer: sseWriter },
  multipart: { type: 'multipart/mixed; boundary=graphql; subscriptionSpec=1.0', writer: multipartWriter },
} as const
export type StreamForm = keyof typeof streamForms

/** The form in which a client takes a stream, the most welcome one; null when it takes none. */
export function streamFormOf(accept: string | undefined): StreamForm | null {
  if (accept === undefined || !/event-stream|subscriptionspec/i.test(accept)) return null
  return formsIn(accept).find((form) => form !== null) ?? null
}

/** Tells whether a client would rather have events than any other media type, also for what is no subscription. */
export const prefersEvents = (accept: string | undefined): boolean => formsIn(accept ?? '')[0] === 'sse'

/** The media types that are accepted, the most welcome first: those that are a stream by their form, others as null. */
function formsIn(accept: string): (StreamForm | null)[] {
  return accept
    .toLowerCase()
    .split(',')
    .map((part) => {
      const [type = '', ...parameters] = part.split(';').map((one) => one.trim())
      const quality = parameters.find((one) => one.startsWith('q='))?.slice(2)
      return { form: formOf(type, parameters), quality: quality === undefined ? 1 : Number(quality) || 0 }
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .map(({ form }) => form)
}

function formOf(type: string, parameters: readonly string[]): StreamForm | null {
  if (type === 'text/event-stream') return 'sse'
  const isSubscription = parameters.some((one) => one.startsWith('subscriptionspec='))
  return type === 'multipart/mixed' && isSubscription ? 'multipart' : null
}

/** GraphQL over SSE, distinct connections; `id` is the cursor, which browsers send back as `Last-Event-ID`. */
function sseWriter(response: ServerResponse): StreamWriter {
  return {
    begin: (cursor, retryMs) => void response.write(`retry: ${retryMs}\n:\nid: ${cursor}\n\n`),
    next: (result, cursor) =>
      void response.write(
        `event: next\n${cursor ? `id: ${cursor}\n` : ''}data: ${JSON.stringify(result)}\n\n`,
      ),
    beat: (cursor) => void response.write(`:\nid: ${cursor}\n\n`),
    complete: () => void response.end('event: complete\ndata:\n\n'),
    reconnect: (reason) => void response.end(`: ${reason}\n\n`),
  }
}

/**
 * Apollo's protocol of subscriptions over multipart HTTP, which has no place for cursors beside the messages. The boundary is
 * written behind each part, because clients take a part when they have read what ends it.
 */
function multipartWriter(response: ServerResponse): StreamWriter {
  const part = (value: object) =>
    `\r\ncontent-type: application/json\r\n\r\n${JSON.stringify(value)}\r\n--graphql`
  let isBegun = false
  const write = (value: object) => {
    response.write(isBegun ? part(value) : `\r\n--graphql${part(value)}`)
    isBegun = true
  }
  return {
    begin: () => write({}),
    next: (result) => write({ payload: result }),
    beat: () => write({}),
    complete: () => void response.end('--\r\n'),
    reconnect(reason) {
      write({ payload: null, errors: [{ message: reason }] })
      response.end('--\r\n')
    },
  }
}
