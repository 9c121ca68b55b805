import { getOperationAST, type GraphQLSchema, type OperationDefinitionNode } from 'graphql'
import type { Clock } from '../../kernel/clock'
import { badUserInput, queryTooCostly, unauthenticated } from '../../kernel/errors'
import type { GatewayContext, RequestRecord } from '../context'
import { refusedForNow } from '../errors'
import { json, type HttpResponse } from '../http/http-response'
import { httpOf } from '../operations/cached-execution'
import type { Caller } from '../operations/document-bounds'
import type { DocumentCheck } from '../operations/document-check'
import type { FrontRequest, OperationPipeline } from '../operations/operation-pipeline'
import { exportFormatOf, type ExportFormat, type RowWriter } from './export-formats'
import { exportPlan, pageKeys, type ExportPlan } from './export-plan'
import type { ExportTrail } from './export-trail'

/** So many rows an export has at most. */
export const mostExportedRows = 100_000
/** Counting of a list stops here: as many or more (docs/queries.md). A list of so many is exported in parts that say `first`. */
const countedRows = 10_000
/** Exports at the same time, each of which holds a page in memory and one statement at a time. */
const mostAtOnce = { all: 16, tenant: 3 }

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
  readonly #running = new Map<string, number>()
  #all = 0

  constructor(private readonly options: ExportOptions) {}

  async answer(
    format: ExportFormat,
    request: FrontRequest,
    record: RequestRecord,
    context: Asking,
  ): Promise<HttpResponse> {
    const inOurs = (error: unknown) => this.options.formatError(error, record)
    try {
      const given = await context()
      if (!given.request.viewer) throw unauthenticated()
      const { tenantId } = given.request.viewer
      const leave = this.#enter(tenantId)
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
    const pages = new Pages(this.options, request, record, plan, variables)
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
      rows: Math.min(first.total ?? wanted, wanted),
    })
    const day = clock.now().toISOString().slice(0, 10)
    const chunks = rowsOf(writer, first, wanted, plan.first === null, (left, after) =>
      pages.read(Math.min(size, left), after, context),
    )
    return {
      status: 200,
      type: format.type,
      body: '',
      stream: { chunks, end: leave },
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

  /** Counts an export. Returns what ends it, to be called as often as one likes. */
  #enter(tenantId: string): () => void {
    const ofTenant = this.#running.get(tenantId) ?? 0
    if (ofTenant >= mostAtOnce.tenant || this.#all >= mostAtOnce.all) throw refusedForNow('OVERLOADED', 5)
    this.#running.set(tenantId, ofTenant + 1)
    this.#all++
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      this.#all--
      const left = this.#running.get(tenantId)! - 1
      if (left > 0) this.#running.set(tenantId, left)
      else this.#running.delete(tenantId)
    }
  }
}

/** The pages of one export, each a request of its own. */
class Pages {
  readonly #headers: FrontRequest['headers']

  constructor(
    private readonly options: ExportOptions,
    { headers }: FrontRequest,
    private readonly record: RequestRecord,
    private readonly plan: ExportPlan,
    private readonly variables: Readonly<Record<string, unknown>>,
  ) {
    this.#headers = { ...headers, accept: 'application/json', 'content-type': 'application/json' }
  }

  /** @throws ExportRefused */
  async read(size: number, after: string | null, context: Asking): Promise<Page> {
    const { query, pageVariables, path } = this.plan
    const variables = {
      ...this.variables,
      [pageVariables.first]: size,
      [pageVariables.after]: after,
      [pageVariables.count]: after === this.plan.after,
    }
    const answer = await this.options.front.answer(
      { method: 'POST', headers: this.#headers, search: '', body: { query, variables } },
      this.record,
      context,
    )
    const { data, errors } = JSON.parse(answer.body) as { data?: unknown; errors?: object[] }
    if (errors) throw new ExportRefused(answer.status === 200 ? statusOf(errors) : answer.status, errors)
    let list = data as Record<string, unknown> | null | undefined
    for (const key of path) list = list?.[key] as Record<string, unknown> | null | undefined
    const info = list?.[pageKeys.info] as { hasNextPage: boolean; endCursor: string | null } | undefined
    return {
      rows: (list?.['nodes'] as unknown[] | undefined) ?? [],
      hasNext: info?.hasNextPage ?? false,
      endCursor: info?.endCursor ?? null,
      total: (list?.[pageKeys.total] as number | null | undefined) ?? null,
    }
  }
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
