import { parse } from 'graphql'
import type { Viewer } from '../../kernel/context'
import { describeAccess, requirementOf, type Requirement } from '../../registry/access'
import { readSchema, type SchemaModel } from '../../registry/schema-model'
import { coordinatesOf } from '../../registry/usage/coordinates'
import type { RequestRecord, SubgraphDataSource } from '../context'
import type { HttpResponse } from '../http/http-response'
import type { OperationPipeline } from './operation-pipeline'

/** Says how one operation was answered. Times are milliseconds, `start` since the operation came. */
export interface Explanation {
  ms: number
  /** As it was estimated before, and what an operation may cost. */
  cost: { estimated: number; limit: number }
  /** Calls of subgraphs in the order in which they began. */
  fetches: { subgraph: string; start: number; ms: number; query: string }[]
  /** SQL of the subgraphs in this process, without values. */
  statements: { subgraph: string; start: number; ms: number; sql: string }[]
  /** Names what the schema asks for; `held` is null where a rule decides for each row. */
  access: { needs: string; of: string[]; held: boolean | null }[]
}

/** The header that asks for an explanation. */
const header = 'x-explain'
/** So much is told of one operation at most: a mutation of many rows has as many statements. */
const most = 200

interface Running {
  tenantId: string | null
  actorId: string | null
  started: number
  fetches: Explanation['fetches']
  statements: Explanation['statements']
}

/** Binding of a statement, as far as it says whose it is. */
interface Whose {
  tenantId: string | null
  actorId?: string | null
  requestId?: string | null
}

/**
 * Notes how operations are answered, for whoever is signed in and asks for it. For places where the schema is shown to
 * everybody: an explanation tells of tables.
 */
export class Explanations {
  readonly #byRecord = new WeakMap<RequestRecord, Running>()
  readonly #byRequest = new Map<string, Set<Running>>()
  #schema: { sdl: string; model: SchemaModel } | undefined

  /** Nothing is explained at the moment, as nearly always. */
  get isIdle(): boolean {
    return this.#byRequest.size === 0
  }

  /** Returns the subgraph with its calls noted. */
  source(name: string, source: SubgraphDataSource): SubgraphDataSource {
    return {
      ping: () => source.ping(),
      close: () => source.close(),
      process: (call) => {
        if (this.isIdle) return source.process(call)
        const record = 'incomingRequestContext' in call ? call.context.record : undefined
        const running = record && this.#byRecord.get(record)
        if (!running) return source.process(call)
        const query = call.request.query ?? ''
        return this.#timed(running.started, source.process(call), (start, ms) => {
          if (running.fetches.length < most) running.fetches.push({ subgraph: name, start, ms, query })
        })
      },
    }
  }

  /** Runs a statement of this role, and notes it when its request is one that is explained. */
  statement<T>(
    role: string,
    { tenantId, actorId, requestId }: Whose,
    sql: string,
    run: () => Promise<T>,
  ): Promise<T> {
    const all = requestId && this.#byRequest.get(requestId)
    if (!all) return run()
    return this.#timed(0, run(), (start, ms) => {
      for (const { tenantId: of, actorId: by, started, statements } of all)
        // Anybody may choose the id of a request.
        if (of === tenantId && by === actorId && statements.length < most)
          statements.push({ subgraph: role, start: round(start - started), ms, sql })
    })
  }

  /** The pipeline that adds to an answer how it came about, in `extensions.explanation`. */
  explaining(
    front: Pick<OperationPipeline, 'answer'>,
    of: { sdl: () => string; costLimit: number },
  ): Pick<OperationPipeline, 'answer'> {
    return {
      answer: async (request, record, context) => {
        if (request.headers[header] === undefined) return front.answer(request, record, context)
        const started = performance.now()
        const running: Running = { tenantId: null, actorId: null, started, fetches: [], statements: [] }
        let viewer: Viewer | null = null
        const { requestId } = record
        try {
          const answer = await front.answer(request, record, async () => {
            const given = await context()
            viewer = given.request.viewer
            running.tenantId = viewer?.tenantId ?? null
            running.actorId = viewer?.userId ?? null
            if (viewer && !record.anonymous) this.#begin(requestId, record, running)
            return given
          })
          const text = (request.body as { query?: unknown } | undefined)?.query
          return viewer && !answer.stream && typeof text === 'string'
            ? this.#explained(answer, running, record, { viewer, text, ...of })
            : answer
        } finally {
          this.#end(requestId, running)
        }
      },
    }
  }

  #begin(requestId: string, record: RequestRecord, running: Running): void {
    this.#byRecord.set(record, running)
    const all = this.#byRequest.get(requestId) ?? new Set()
    this.#byRequest.set(requestId, all.add(running))
  }

  #end(requestId: string, running: Running): void {
    const all = this.#byRequest.get(requestId)
    all?.delete(running)
    if (all?.size === 0) this.#byRequest.delete(requestId)
  }

  #explained(
    answer: HttpResponse,
    { started, fetches, statements }: Running,
    { cost = 0 }: RequestRecord,
    asked: { viewer: Viewer; text: string; sdl: () => string; costLimit: number },
  ): HttpResponse {
    const body = JSON.parse(answer.body) as { data?: unknown; extensions?: object }
    const explanation: Explanation = {
      ms: round(performance.now() - started),
      cost: { estimated: Math.ceil(cost), limit: asked.costLimit },
      fetches: fetches.sort((a, b) => a.start - b.start),
      statements: statements.sort((a, b) => a.start - b.start),
      // A document that was refused is not read again, and what it asks for may be none of the clients' schema.
      access: body.data === undefined ? [] : this.#accessOf(asked.text, asked.viewer, asked.sdl()),
    }
    const extensions = { ...body.extensions, explanation }
    return { ...answer, body: `${JSON.stringify({ ...body, extensions })}\n` }
  }

  #accessOf(text: string, { scopes }: Viewer, sdl: string): Explanation['access'] {
    if (this.#schema?.sdl !== sdl) this.#schema = { sdl, model: readSchema(parse(sdl, { noLocation: true })) }
    const { model } = this.#schema
    const access = new Map<string, Explanation['access'][number]>()
    let coordinates: Iterable<string>
    try {
      coordinates = coordinatesOf(model, parse(text, { noLocation: true }))
    } catch {
      return []
    }
    for (const coordinate of coordinates) {
      const [typeName = '', fieldName = ''] = coordinate.split('.')
      const type = model.types.get(typeName)
      const field = type?.fields.get(fieldName)
      if (!type || !field) continue
      for (const clause of requirementOf(type, field)) {
        const needs = describeAccess([clause])
        if (needs === 'signed in') continue
        const entry = access.get(needs) ?? { needs, of: [], held: isHeld(clause, scopes) }
        entry.of.push(coordinate)
        access.set(needs, entry)
      }
    }
    return [...access.values()].sort((a, b) => (a.needs < b.needs ? -1 : 1))
  }

  async #timed<T>(since: number, work: Promise<T>, note: (start: number, ms: number) => void): Promise<T> {
    const before = performance.now()
    try {
      return await work
    } finally {
      note(since === 0 ? before : round(before - since), round(performance.now() - before))
    }
  }
}

/** Tells whether somebody with these scopes meets a clause; null where that is for a rule to say. */
function isHeld(clause: Requirement[number], scopes: ReadonlySet<string>): boolean | null {
  const needed = clause.map((grants) => grants.filter((grant) => grant !== 'signed in'))
  if (needed.some((grants) => grants.every((grant) => scopes.has(grant)))) return true
  return needed.some((grants) => grants.some((grant) => grant.startsWith('policy '))) ? null : false
}

const round = (ms: number): number => Math.round(ms * 100) / 100
