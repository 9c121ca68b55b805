import { setTimeout } from 'node:timers/promises'
import { getOperationAST, type GraphQLSchema, type OperationDefinitionNode } from 'graphql'
import type { Clock } from '../../kernel/clock'
import { badUserInput, forbidden, queryTooCostly, unauthenticated } from '../../kernel/errors'
import type { GatewayContext, RequestRecord } from '../context'
import { json, type HttpResponse } from '../http/http-response'
import { httpOf } from '../operations/cached-execution'
import type { Caller } from '../operations/document-bounds'
import type { DocumentCheck } from '../operations/document-check'
import type { FrontRequest, OperationPipeline } from '../operations/operation-pipeline'
import { exportFormatOf, type ExportFormat, type RowWriter } from './export-formats'
import { exportPlan, pageKeys, type ExportPlan } from './export-plan'
import type { ExportTrail } from './export-trail'
import { defaultExportBounds, OpenExports, type ExportBounds } from './open-exports'

/** So many rows an export has at most. */
export const mostExportedRows = 100_000
/** Counting of a list stops here: as many or more (docs/queries.md). A list of so many is exported in parts that say `first`. */
const countedRows = 10_000
/** Milliseconds after which whoever waits looks again whether the client is still there. */
const lookMs = 1000

export interface ExportOptions {
  front: Pick<OperationPipeline, 'answer'>
  check: DocumentCheck
  /** Returns what clients see of the supergraph of the moment. */
  schema: () => GraphQLSchema
  /** Rows of a page at the root, and below another object. */
  pageLimits: { root: number; nested: number }
  trail: ExportTrail
  clock: Clock
  formatError: (error: unknown, record: RequestRecord) => object
  /**
   * Counts what a page costs a tenant's exports, which may spend a part of what the tenant has in a minute. Returns 0, or counts
   * nothing and returns the milliseconds to wait.
   */
  share?: (tenantId: string, cost: number) => number
  bounds?: Partial<ExportBounds>
}

interface Page {
  rows: readonly unknown[]
  hasNext: boolean
  endCursor: string | null
  total: number | null
}

/** A document or a page that was refused, or came with errors: its answer is the export's. */
class ExportRefused extends Error {
  constructor(
    readonly status: number,
    readonly errors: readonly object[],
  ) {
    super('A page of an export was refused')
  }
}

/**
 * Answers a query of one list as CSV or JSON lines, where that is what the client accepts: page by page through the ordinary
 * pipeline, each page with the viewer, rights, limits and rates of a request of its own.
 */
export function withExports(options: ExportOptions): Pick<OperationPipeline, 'answer'> {
  const exports = new Exports(options)
  return {
    answer(request, record, context) {
      const format = exportFormatOf(request.headers)
      return format
        ? exports.answer(format, request, record, context)
        : options.front.answer(request, record, context)
    },
  }
}

type Asking = () => Promise<GatewayContext>

class Exports {
  readonly #bounds: ExportBounds
  readonly #open: OpenExports

  constructor(private readonly options: ExportOptions) {
    this.#bounds = { ...defaultExportBounds, ...options.bounds }
    this.#open = new OpenExports(this.#bounds)
  }

  async answer(
    format: ExportFormat,
    request: FrontRequest,
    record: RequestRecord,
    context: Asking,
  ): Promise<HttpResponse> {
    const inOurs = (error: unknown) => this.options.formatError(error, record)
    try {
      const given = await context()
      const { viewer, operator } = given.request
      if (!viewer) throw unauthenticated()
      if (operator) throw forbidden('Exports are for the members of a tenant')
      const leave = this.#open.enter(viewer)
      try {
        return await this.#export(format, request, record, context, given, leave)
      } catch (error) {
        leave()
        throw error
      }
    } catch (error) {
      if (error instanceof ExportRefused) return json(error.status, { errors: error.errors })
      const { status, headers } = httpOf(error) ?? {}
      const shown = inOurs(error)
      const answer = json(status ?? statusOf([shown]), { errors: [shown] })
      return { ...answer, headers: Object.fromEntries(headers ?? []) }
    }
  }

  async #export(
    format: ExportFormat,
    request: FrontRequest,
    record: RequestRecord,
    context: Asking,
    given: GatewayContext,
    leave: () => void,
  ): Promise<HttpResponse> {
    const { trail, clock } = this.options
    const { plan, writer, variables, operationName } = this.#planned(
      format,
      request,
      record,
      given.request.viewer!.passwordChangeRequired ? 'anonymous' : 'signedIn',
    )
    record.operationName = operationName
    if (plan.first !== null && plan.first > mostExportedRows)
      throw queryTooCostly(`An export has ${mostExportedRows} rows at most: ask for fewer with first`)
    const { tenantId } = given.request.viewer!
    const inTurn: InTurn = (read) => this.#open.inTurn(tenantId, read)
    const pages = new Pages(this.options, request, record, { plan, variables, tenantId, inTurn })
    const size = plan.path.length === 1 ? this.options.pageLimits.root : this.options.pageLimits.nested
    const wanted = plan.first ?? mostExportedRows
    const first = await pages.read(Math.min(size, wanted), plan.after, () => Promise.resolve(given))
    if (plan.first === null && (first.total ?? 0) >= countedRows)
      throw queryTooCostly(
        `The list has ${countedRows} rows or more: narrow the filter, or say with first how many you want, ${mostExportedRows} at most`,
      )
    // Before anything leaves: who breaks the export off has what came until then.
    await trail.write(given.request, {
      type: plan.type.name,
      list: plan.field,
      format: format.name,
      columns: writer.columns,
      asked: plan.arguments,
      ...counted(first, wanted, plan.after === null),
    })
    const day = clock.now().toISOString().slice(0, 10)
    const chunks = rowsOf(writer, first, wanted, plan.first === null, (left, after) =>
      pages.readOn(Math.min(size, left), after, context),
    )
    return {
      status: 200,
      type: format.type,
      body: '',
      stream: { chunks, end: leave, longestMs: this.#bounds.longestMs },
      headers: {
        'content-disposition': `attachment; filename="${plan.field}-${day}.${format.name}"`,
      },
    }
  }

  /** @throws what is wrong with the document */
  #planned(format: ExportFormat, request: FrontRequest, record: RequestRecord, caller: Caller) {
    const { query, operationName, variables } = sent(request)
    const schema = this.options.schema()
    const checked = this.options.check(schema, query, caller)
    if ('errors' in checked)
      throw new ExportRefused(
        400,
        checked.errors.map((error) => this.options.formatError(error, record)),
      )
    const operation = getOperationAST(checked.document, operationName) as OperationDefinitionNode | null
    if (!operation) throw badUserInput('The document has several operations, or none of this name')
    const plan = exportPlan(schema, checked.document, operation, variables)
    return {
      plan,
      writer: format.writer(schema, plan),
      variables,
      operationName: operation.name?.value ?? null,
    }
  }
}

/** Says how many rows leave: exactly where that is known, else how many at most. */
function counted(
  first: Page,
  wanted: number,
  isFromStart: boolean,
): { rows: number } | { rowsAtMost: number } {
  if (!first.hasNext) return { rows: first.rows.length }
  const { total } = first
  const isCounted = total !== null && (total < countedRows || wanted <= total)
  const most = isCounted ? Math.min(total, wanted) : wanted
  return isCounted && isFromStart ? { rows: most } : { rowsAtMost: most }
}

type InTurn = <T>(read: () => Promise<T>) => Promise<T>

/** Request for one export, and its tenant. */
interface Exported {
  plan: ExportPlan
  variables: Readonly<Record<string, unknown>>
  tenantId: string
  inTurn: InTurn
}

/** The pages of one export, each a request of its own. */
class Pages {
  readonly #headers: FrontRequest['headers']

  constructor(
    private readonly options: ExportOptions,
    { headers }: FrontRequest,
    private readonly record: RequestRecord,
    private readonly exported: Exported,
  ) {
    this.#headers = { ...headers, accept: 'application/json', 'content-type': 'application/json' }
  }

  /** @throws ExportRefused, and ApiError where the list is not there */
  async read(size: number, after: string | null, context: Asking): Promise<Page> {
    const { plan, inTurn } = this.exported
    const { query, pageVariables, path } = plan
    const variables = {
      ...this.exported.variables,
      [pageVariables.first]: size,
      [pageVariables.after]: after,
      [pageVariables.count]: after === plan.after,
    }
    const answer = await inTurn(() =>
      this.options.front.answer(
        { method: 'POST', headers: this.#headers, search: '', body: { query, variables } },
        this.record,
        context,
      ),
    )
    const { data, errors } = JSON.parse(answer.body) as { data?: unknown; errors?: object[] }
    if (errors) throw new ExportRefused(answer.status === 200 ? statusOf(errors) : answer.status, errors)
    let list = data as Record<string, unknown> | null | undefined
    for (const key of path) list = list?.[key] as Record<string, unknown> | null | undefined
    const rows = list?.['nodes'] as unknown[] | null | undefined
    const info = list?.[pageKeys.info] as
      { hasNextPage: boolean; endCursor: string | null } | null | undefined
    // Null without an error is an object that is not there, or is not for this viewer.
    if (!rows || !info) throw badUserInput(`There is no list to export: nothing is at ${path.join('.')}`)
    const total = (list?.[pageKeys.total] as number | null | undefined) ?? null
    return { rows, hasNext: info.hasNextPage, endCursor: info.endCursor, total }
  }

  /**
   * Reads a page behind the first: waits where the exports of the tenant have spent their part of this minute, or whoever asks has
   * asked for enough, and goes on then.
   *
   * @throws as {@link read}
   */
  async readOn(size: number, after: string | null, context: Asking): Promise<Page> {
    const { share = () => 0 } = this.options
    for (let wait = 1; wait > 0;) {
      wait = share(this.exported.tenantId, 1 + (this.record.cost ?? 0))
      await this.#wait(wait)
    }
    for (;;) {
      try {
        return await this.read(size, after, context)
      } catch (error) {
        const seconds = error instanceof ExportRefused ? secondsToWait(error.errors) : null
        if (seconds === null) throw error
        await this.#wait(seconds * 1000)
      }
    }
  }

  /** @throws Error when the client left meanwhile */
  async #wait(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= lookMs) {
      await setTimeout(Math.min(left, lookMs))
      if (this.record.clientGone) throw new Error('The client left an export')
    }
  }
}

/** Returns after how long a refusal passes by itself; null when it does not. */
function secondsToWait(errors: readonly object[]): number | null {
  const [first] = errors as { extensions?: { code?: string; retryAfterSeconds?: number } }[]
  const { code, retryAfterSeconds } = first?.extensions ?? {}
  return code === 'RATE_LIMITED' || code === 'OVERLOADED' ? (retryAfterSeconds ?? 1) : null
}

/**
 * The text of an export, a page at a time: the next one is read when the one before is sent. Throws where it cannot go on, and
 * where a whole list turns out to be longer than an export may be: the client sees that the answer breaks off.
 */
async function* rowsOf(
  writer: RowWriter,
  first: Page,
  wanted: number,
  isWhole: boolean,
  next: (left: number, after: string | null) => Promise<Page>,
): AsyncGenerator<string> {
  let page = first
  let left = wanted
  let text = writer.head
  for (;;) {
    for (const row of page.rows) text += writer.row(row)
    if (text !== '') yield text
    left -= page.rows.length
    if (!page.hasNext) return
    if (left <= 0) {
      if (isWhole) throw new Error(`The list has more than ${wanted} rows`)
      return
    }
    page = await next(left, page.endCursor)
    text = ''
  }
}

/** Reads what of an operation a client sent. */
function sent({ method, search, body }: FrontRequest) {
  const given =
    method === 'GET'
      ? Object.fromEntries(new URLSearchParams(search))
      : (body as Record<string, unknown> | null)
  const { query, operationName, variables } = given ?? {}
  if (typeof query !== 'string') throw badUserInput('Send the query of an export, or its documentId')
  const values: unknown = typeof variables === 'string' ? parsed(variables) : (variables ?? {})
  if (typeof values !== 'object' || values === null || Array.isArray(values))
    throw badUserInput('variables must be an object')
  return {
    query,
    operationName: typeof operationName === 'string' ? operationName : undefined,
    variables: values as Record<string, unknown>,
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const statuses: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
  SUBGRAPH_UNAVAILABLE: 503,
  OVERLOADED: 503,
  INTERNAL_SERVER_ERROR: 500,
}

/** A file has no place for an error beside its rows: the first one is the answer. */
function statusOf(errors: readonly object[]): number {
  const [first] = errors as { extensions?: { code?: string } }[]
  return statuses[first?.extensions?.code ?? ''] ?? 400
}
