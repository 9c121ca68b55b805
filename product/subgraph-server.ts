import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { DocumentNode } from 'graphql'
import { systemClock, type Clock } from '../kernel/clock'
import type { Logger } from '../kernel/process/log'
import { InexactJson, parseExactJson } from '../kernel/schema/exact-json'
import { parsedDocuments, type ParsedDocuments } from '../kernel/execution/parsed-documents'
import type { RunningSubgraph } from '../kernel/schema/subgraph-definition'
import { verifyViewer, viewerHeader, ViewerTokenError } from '../kernel/access/viewer-token'

export interface SubgraphServerOptions {
  port: number
  host: string
  viewerSecret: string
  log: Logger
  clock?: Clock
  /** Throws when something this subgraph needs does not answer; behind `/readyz`. */
  ready?: () => Promise<void>
  /** Says how long running requests may take after `close`; default 10,000. */
  drainMs?: number
}

export interface SubgraphServer {
  /** Says where operations are sent, with the port that was chosen. */
  url: string
  /** Takes no new request and lets the running ones finish, within bounds; the subgraph is closed then. */
  close(): Promise<void>
}

const maxBodyBytes = 1024 * 1024
const drainMs = 10_000

/** A request that is answered before GraphQL sees it. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

/**
 * Serves one subgraph alone over HTTP: `POST /graphql` for the gateway, `/healthz`, `/readyz`. Whoever has no valid
 * viewer token gets one and the same 401, for `_service` and `_entities` too; the reason stands in the log.
 */
export async function serveSubgraph(
  running: RunningSubgraph,
  options: SubgraphServerOptions,
): Promise<SubgraphServer> {
  const { log } = options
  const documents = parsedDocuments({ maxTokens: 20_000 })
  const server = createServer((request, response) => {
    answer(running, options, documents, request, response).catch((error: unknown) => {
      if (error instanceof Refusal) {
        const errors = [{ message: error.message, extensions: { code: error.code } }]
        return send(response, error.status, { errors })
      }
      log.error({ error: error instanceof Error ? error.message : String(error) }, 'subgraph request failed')
      return send(response, 500, {
        errors: [{ message: 'Internal server error', extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
      })
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  const { port } = server.address() as AddressInfo
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  return {
    url: `http://${host}:${port}/graphql`,
    async close() {
      const drained = new Promise<void>((resolve) => server.close(() => resolve())).then(() =>
        running.close(),
      )
      server.closeIdleConnections()
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, options.drainMs ?? drainMs)))
      await Promise.race([drained, late])
      clearTimeout(timer)
      server.closeAllConnections()
    },
  }
}

async function answer(
  running: RunningSubgraph,
  options: SubgraphServerOptions,
  documents: ParsedDocuments,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://subgraph').pathname
  if (path === '/healthz' && request.method === 'GET') return send(response, 200, { status: 'alive' })
  if (path === '/readyz' && request.method === 'GET') return send(response, ...(await readiness(options)))
  if (path !== '/graphql')
    throw new Refusal(404, 'BAD_REQUEST', 'Only POST /graphql, /healthz and /readyz are here')
  if (request.method !== 'POST') throw new Refusal(405, 'BAD_REQUEST', 'Use POST')
  const clock = options.clock ?? systemClock
  const body = await readBody(request)
  const asking = verified(running, options, request, body, clock)
  const { query, variables, operationName } = operationIn(body)
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const context = {
    ...asking,
    clock,
    log: options.log.child({ requestId: asking.requestId }),
    signal: gone.signal,
  }
  const document = parsed(documents, query, context.viewer !== null)
  if (!response.destroyed)
    send(response, 200, await running.execute({ document, variables, operationName, context }))
}

function verified(
  running: RunningSubgraph,
  { viewerSecret, log }: SubgraphServerOptions,
  request: IncomingMessage,
  body: Buffer,
  clock: Clock,
) {
  const token = request.headers[viewerHeader]
  try {
    return verifyViewer(
      viewerSecret,
      running.name,
      typeof token === 'string' ? token : undefined,
      body,
      clock,
    )
  } catch (error) {
    if (!(error instanceof ViewerTokenError)) throw error
    log.warn({ fault: error.message, from: request.socket.remoteAddress }, 'subgraph request refused')
    throw new Refusal(401, 'UNAUTHENTICATED', 'Not from the gateway')
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  // Leaving the loop must not destroy the connection: the refusal still has to be sent over it.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBodyBytes) throw new Refusal(413, 'BAD_REQUEST', 'A request may take 1 MiB at most')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function operationIn(body: Buffer): { query: string; variables?: object; operationName?: string } {
  let value: unknown
  try {
    value = parseExactJson(body.toString('utf8'))
  } catch (error) {
    if (error instanceof InexactJson) throw new Refusal(400, 'BAD_USER_INPUT', error.message)
    throw new Refusal(400, 'BAD_REQUEST', 'The body is not JSON')
  }
  const { query, variables, operationName } = (value ?? {}) as Record<string, unknown>
  const fits =
    typeof query === 'string' &&
    (variables === undefined ||
      variables === null ||
      (typeof variables === 'object' && !Array.isArray(variables))) &&
    (operationName === undefined || operationName === null || typeof operationName === 'string')
  if (!fits) throw new Refusal(400, 'BAD_REQUEST', 'The body must be { query, variables, operationName }')
  return { query, variables: variables ?? undefined, operationName: operationName ?? undefined }
}

function parsed(documents: ParsedDocuments, query: string, keep: boolean): DocumentNode {
  try {
    return documents.get(query, keep)
  } catch (error) {
    throw new Refusal(400, 'GRAPHQL_PARSE_FAILED', error instanceof Error ? error.message : 'Syntax error')
  }
}

async function readiness({ ready, log }: SubgraphServerOptions): Promise<[number, object]> {
  try {
    await ready?.()
    return [200, { status: 'ready' }]
  } catch (error) {
    log.warn({ error: error instanceof Error ? error.message : String(error) }, 'subgraph not ready')
    return [503, { status: 'not ready' }]
  }
}

function send(response: ServerResponse, status: number, value: object): void {
  if (response.headersSent || response.destroyed) return
  const text = JSON.stringify(value)
  // What is left of a refused body is not read, so such a connection cannot be used again.
  const connection = status >= 400 ? { connection: 'close' } : {}
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...connection,
  })
  response.end(text)
}
