import { once } from 'node:events'
import http from 'node:http'
import { text } from 'node:stream/consumers'
import type { TestClient } from '../support/graph'

/** A message of a stream, as it stands on the wire. */
export interface Message {
  event: string
  id: string | null
  data: {
    data?: Record<string, Record<string, unknown>>
    errors?: { message: string; extensions: { code: string } }[]
  } | null
}

/** A stream over SSE, read by hand. */
export interface TestStream {
  status: number
  /** The body of an answer that is no stream. */
  refusal: { errors: { message: string; extensions: { code: string } }[] } | null
  /** The next message that is no sign of life alone; null when the connection has ended. */
  next(): Promise<Message | null>
  /** The latest `id`, signs of life included. */
  lastId(): string | null
  /** The comment with which the connection ended. */
  ending(): string | null
  /** Waits until the server has shown once more that it lives. */
  beat(): Promise<void>
  /** Breaks the connection. */
  cut(): Promise<void>
}

/** No answer takes as long, however busy the machine is. */
const patienceMs = 20_000

/** Opens a stream. */
export async function openStream(
  url: string,
  headers: TestClient['headers'],
  query: string,
  variables: Record<string, unknown> = {},
  lastEventId?: string,
): Promise<TestStream> {
  const request = http.request(url, {
    method: 'POST',
    // A connection of its own, which nobody else waits for.
    agent: false,
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...headers,
      ...(lastEventId && { 'last-event-id': lastEventId }),
    },
  })
  request.end(JSON.stringify({ query, variables }))
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  const status = response.statusCode!
  if (!response.headers['content-type']?.startsWith('text/event-stream')) {
    const refusal = JSON.parse(await text(response)) as TestStream['refusal']
    const nothing = {
      next: async () => null,
      lastId: () => null,
      ending: () => null,
      beat: async () => {},
      cut: async () => {},
    }
    return { status, refusal, ...nothing }
  }
  let lastId: string | null = null
  let ending: string | null = null
  let onBeat: (() => void) | undefined
  const messages: (Message | null)[] = []
  let onMessage: (() => void) | undefined
  const reading = (async () => {
    for await (const message of messagesOf(response, (id) => (lastId = id))) {
      if (message === 'beat') onBeat?.()
      else if (typeof message === 'string') ending = message.slice(2)
      else messages.push(message)
      onMessage?.()
    }
    messages.push(null)
    onMessage?.()
    onBeat?.()
  })()
  return {
    status,
    refusal: null,
    lastId: () => lastId,
    ending: () => ending,
    beat: () => inTime(new Promise<void>((resolve) => (onBeat = resolve))),
    async cut() {
      response.destroy()
      await reading
    },
    async next() {
      while (messages.length === 0) await inTime(new Promise<void>((resolve) => (onMessage = resolve)))
      // The end stays the end.
      return messages[0] === null ? null : messages.shift()!
    },
  }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('Nothing came')), patienceMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

async function* messagesOf(
  body: http.IncomingMessage,
  seen: (id: string) => void,
): AsyncGenerator<Message | 'beat' | `: ${string}`, undefined> {
  body.setEncoding('utf8')
  let read = ''
  try {
    for await (const chunk of body) {
      read += String(chunk)
      for (let end = read.indexOf('\n\n'); end >= 0; end = read.indexOf('\n\n')) {
        yield messageOf(read.slice(0, end), seen)
        read = read.slice(end + 2)
      }
    }
  } catch {
    // The connection broke.
  }
}

function messageOf(block: string, seen: (id: string) => void): Message | 'beat' | `: ${string}` {
  if (block.startsWith(': ')) return block as `: ${string}`
  const message: Message = { event: 'message', id: null, data: null }
  let hasData = false
  for (const line of block.split('\n')) {
    const [, field, content] = /^(\w+): ?(.*)$/.exec(line) ?? []
    if (field === 'event') message.event = content!
    if (field === 'id') seen((message.id = content!))
    if (field !== 'data') continue
    hasData = true
    message.data = content ? (JSON.parse(content) as Message['data']) : null
  }
  return hasData ? message : 'beat'
}
