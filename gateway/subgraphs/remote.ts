import type { GraphQLDataSourceProcessOptions } from '@apollo/gateway'
import type { GraphQLFormattedError } from 'graphql'
import { Pool, type Dispatcher } from 'undici'
import type { Clock } from '../../kernel/clock'
import { systemClock } from '../../kernel/clock'
import type { RequestContext } from '../../kernel/context'
import type { Logger } from '../../kernel/process/log'
import type { SubgraphName } from '../../kernel/schema/subgraph-names'
import { signViewer, viewerHeader } from '../../kernel/access/viewer-token'
import type { GatewayContext, SubgraphAnswer, SubgraphDataSource } from '../context'
import { withExactNumbers } from '../../kernel/schema/exact-json'
import { cancelled, errorsEverywhere, noAnswer } from './unavailable'

/** Names who asks a subgraph, and with which headers the client came (names in lower case). */
export interface Asker {
  request: Pick<RequestContext, 'requestId' | 'viewer' | 'operator' | 'clientIp' | 'userAgent' | 'isFollowUp'>
  headers: { get(name: string): string | null | undefined }
}

/** The headers a subgraph request carries besides content type and request id. */
export interface SubgraphHeaders {
  (body: string, asker: Asker): Record<string, string>
  /** They prove who the gateway is: a subgraph that answers 401 means the gateway, not its client. */
  ofGateway?: boolean
}

export interface RemoteOptions {
  name: string
  url: string
  headers: SubgraphHeaders
  log: Logger
  /** Milliseconds for a whole answer. Default 30,000. */
  timeoutMs?: number
  /** Connections to this subgraph. Default 64. */
  connections?: number
}

/** A subgraph's answer is bounded as a page is; more than this is a fault, not data. */
const maxResponseBytes = 64 * 1024 * 1024

/** Signs the viewer for this subgraph and this body, the anonymous one too: our subgraphs answer nothing without it. */
export function signedHeaders(
  secret: string,
  audience: SubgraphName,
  clock: Clock = systemClock,
): SubgraphHeaders {
  const sign = (body: string, { request }: Asker) => ({
    [viewerHeader]: signViewer(secret, audience, request.viewer, body, request, clock),
  })
  return Object.assign(sign, { ofGateway: true })
}

/** Passes on the named headers of the client and nothing else: for subgraphs that are somebody else's. */
export function forwardedHeaders(names: readonly string[]): SubgraphHeaders {
  return (_body, { headers }) =>
    Object.fromEntries(
      names.flatMap((name) => {
        const value = headers.get(name.toLowerCase())
        return value ? [[name.toLowerCase(), value]] : []
      }),
    )
}

/**
 * A subgraph over HTTP, with connections kept alive. What it answers in GraphQL is passed on. Whatever else goes wrong
 * between here and there becomes SUBGRAPH_UNAVAILABLE in the answer, but for JSON under a good status that is no GraphQL
 * answer (SUBGRAPH_INVALID_ANSWER) and for the statuses 401 and 403 of a subgraph that looks at the client's headers;
 * addresses and causes are for the log.
 */
export function remoteDataSource(options: RemoteOptions): SubgraphDataSource {
  return new RemoteSubgraph(options)
}

class RemoteSubgraph implements SubgraphDataSource {
  readonly #pool: Pool
  readonly #path: string

  constructor(private readonly options: RemoteOptions) {
    const url = new URL(options.url)
    this.#path = `${url.pathname}${url.search}`
    this.#pool = new Pool(url.origin, {
      connections: options.connections ?? 64,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: maxResponseBytes,
    })
  }

  async process(call: GraphQLDataSourceProcessOptions<GatewayContext>): Promise<SubgraphAnswer> {
    if (!('incomingRequestContext' in call)) return {}
    const { request } = call.context
    const { query, variables, operationName } = call.request
    const body = JSON.stringify({ query, variables, operationName })
    const asker = {
      request,
      headers: call.incomingRequestContext.request.http?.headers ?? new Map<string, string>(),
    }
    try {
      return await this.#answerWithin(this.options.timeoutMs ?? 30_000, body, asker, request.signal)
    } catch (error) {
      if (request.signal?.aborted) throw cancelled()
      return this.#told(error, call)
    }
  }

  async ping(): Promise<void> {
    const { name } = this.options
    const request = { requestId: `ping-${name}`, viewer: null, clientIp: null, userAgent: null }
    await this.#answerWithin(2000, '{"query":"{__typename}"}', { request, headers: new Map() }, undefined)
  }

  close(): Promise<void> {
    return this.#pool.close()
  }

  /** @throws what {@link cancelled} makes, when the client left */
  async #answerWithin(
    ms: number,
    body: string,
    asker: Asker,
    signal: AbortSignal | undefined,
  ): Promise<SubgraphAnswer> {
    if (signal?.aborted) throw cancelled()
    const { answer, stop } = this.#post(body, asker)
    const timer = setTimeout(() => stop(new Error(`No answer in ${ms} ms`)), ms)
    const leave = () => stop(cancelled())
    signal?.addEventListener('abort', leave)
    try {
      return await answer
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', leave)
    }
  }

  /** Ends with an error as soon as `stop` is called, also while it waits for a connection. */
  #post(body: string, asker: Asker): { answer: Promise<SubgraphAnswer>; stop: (why: Error) => void } {
    let stop!: (why: Error) => void
    const answer = new Promise<SubgraphAnswer>((resolve, reject) => {
      let controller: Dispatcher.DispatchController | undefined
      let stopped: Error | undefined
      stop = (why) => {
        stopped = why
        controller?.abort(why)
        reject(why)
      }
      let status = 0
      const chunks: Buffer[] = []
      // Not `request`: its streams and signals are a third of what a call costs.
      this.#pool.dispatch(
        { path: this.#path, method: 'POST', body, headers: this.#headers(body, asker) },
        {
          onRequestStart: (started) => {
            controller = started
            if (stopped) started.abort(stopped)
          },
          onResponseStart: (_controller, code) => void (status = code),
          onResponseData: (_controller, chunk) => void chunks.push(chunk),
          onResponseEnd: () => {
            try {
              const whole = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
              resolve(answerFrom(whole.toString(), status, this.options))
            } catch (error) {
              reject(error as Error)
            }
          },
          onResponseError: (_controller, error) => reject(error),
        },
      )
    })
    return { answer, stop }
  }

  #headers(body: string, asker: Asker): Record<string, string> {
    return {
      'content-type': 'application/json',
      accept: 'application/json',
      'x-request-id': asker.request.requestId,
      ...this.options.headers(body, asker),
    }
  }

  /** The error that the caller is told of a call that came to nothing. */
  #told(error: unknown, call: GraphQLDataSourceProcessOptions<GatewayContext>): SubgraphAnswer {
    const { name, log } = this.options
    const tell = (message: string) =>
      log.error({ subgraph: name, requestId: call.context.request.requestId, error: causeOf(error) }, message)
    if (error instanceof NoAnswer) {
      tell('subgraph answers what is no GraphQL')
      // As if it had said nothing: which places are null for it, and why, is said where they are known.
      return { data: null }
    }
    if (error instanceof Refused) {
      tell('subgraph refuses the gateway')
      return errorsEverywhere(call, messageOfRefusal[error.answerCode](name), { code: error.answerCode })
    }
    tell('subgraph does not answer')
    return noAnswer(name, call)
  }
}

/**
 * Returns what a subgraph answered. The body decides, whatever the HTTP status: servers differ in which status they
 * give to an answer with errors.
 *
 * @throws Refused when the text is no GraphQL answer and the status says who is not answered; NoAnswer when the status
 *   says that all is well and the JSON is none all the same; Error when it is none for another reason, as a proxy's
 *   error page
 */
function answerFrom(
  text: string,
  status: number,
  { name, headers: { ofGateway = false } }: Pick<RemoteOptions, 'name' | 'headers'>,
): SubgraphAnswer {
  let answer: unknown
  try {
    // Some servers begin with a byte order mark.
    answer = JSON.parse(withExactNumbers(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text))
  } catch {
    answer = undefined
  }
  const { data, errors } = (isRecord(answer) ? answer : {}) as { data?: unknown; errors?: unknown }
  const said = Array.isArray(errors) ? errors.filter(isError) : []
  const isAnswer = data === null || isRecord(data) || (data === undefined && said.length > 0)
  const code = codeOfStatus[status]
  if (ofGateway && status === 401 && !data) throw new Error('HTTP 401: the gateway is not known')
  if (!isAnswer) {
    const why = `HTTP ${status} without a GraphQL answer`
    if (answer !== undefined && status >= 200 && status < 300) throw new NoAnswer(why)
    if (!ofGateway && (code === 'UNAUTHENTICATED' || code === 'FORBIDDEN')) throw new Refused(why, code)
    throw new Error(why)
  }
  const told = said.map((error) => errorFrom(error, code))
  const unread = Array.isArray(errors)
    ? errors.length - said.length
    : Number(errors !== undefined && errors !== null)
  if (unread > 0 && data !== null)
    told.push({
      message: `The ${name} subgraph gave errors that are none`,
      extensions: { code: 'SUBGRAPH_INVALID_ANSWER' },
    })
  return { data: data as SubgraphAnswer['data'], ...(told.length > 0 && { errors: told }) }
}

/** Holds what a status says of errors that have no code of their own. */
const codeOfStatus: Readonly<Record<number, string>> = {
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  429: 'RATE_LIMITED',
}

/** An answer that is not GraphQL, whose status says that it would be the same if asked again. */
class Refused extends Error {
  constructor(
    message: string,
    readonly answerCode: 'UNAUTHENTICATED' | 'FORBIDDEN',
  ) {
    super(message)
  }
}

/** JSON under a good status that is no GraphQL answer: asked again, the subgraph would say the same. */
class NoAnswer extends Error {}

const messageOfRefusal = {
  UNAUTHENTICATED: (name: string) => `The ${name} subgraph wants to know who asks`,
  FORBIDDEN: (name: string) => `The ${name} subgraph does not allow this`,
} as const

function errorFrom(
  { message, path, extensions }: GraphQLFormattedError,
  code: string | undefined,
): GraphQLFormattedError {
  const known = isRecord(extensions) ? extensions : {}
  const isPath = Array.isArray(path) && path.every((step) => ['string', 'number'].includes(typeof step))
  return {
    message,
    ...(isPath && { path }),
    extensions: { ...known, ...(known['code'] === undefined && code !== undefined && { code }) },
  }
}

function isError(error: unknown): error is GraphQLFormattedError {
  return isRecord(error) && typeof error['message'] === 'string'
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function causeOf(error: unknown): { name: string; message: string; code?: unknown } {
  if (!(error instanceof Error)) return { name: 'unknown', message: String(error) }
  return { name: error.name, message: error.message, code: (error as NodeJS.ErrnoException).code }
}
