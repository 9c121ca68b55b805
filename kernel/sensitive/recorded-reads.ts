import { defaultFieldResolver, isObjectType, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql'
import type { SubgraphContext } from '../context'
import { isPromise } from '../execution/sync-promise'
import { sensitiveClasses, type SensitiveClassName } from './classes'
import type { ShownGroup } from '../reading/summary-answer'
import type { SensitiveFields } from './marks'
import type { TypeReads } from './request-reads'

type Resolver = GraphQLFieldResolver<unknown, SubgraphContext, Record<string, unknown>>
type Source = Readonly<Record<string, unknown>> | null | undefined

/** Tells whether a value, or a promise of one, is shown to the viewer. */
export const isShown = (value: unknown): boolean =>
  value !== null && value !== undefined && !(value instanceof Error)

/** Notes that the viewer is shown a value. */
export type Note = (context: SubgraphContext, source: Source) => void

/** Makes the note that the viewer is shown a field's value of a row, or what tells it, such as a cursor. */
export function noteOf(type: string, field: string, name: SensitiveClassName): Note {
  const isRequired = sensitiveClasses[name].reads === 'required'
  return (context, source) => {
    const id = source?.['id']
    if (typeof id !== 'string') return
    const reads = context.reads.get(type) ?? begun(context, type, type, null)
    if (reads.fields.has(field) && reads.ids.has(id)) return
    reads.fields.add(field)
    reads.ids.add(id)
    const { actorId } = context.binding
    if (actorId && (source!['userId'] === actorId || (type === 'User' && id === actorId))) reads.own.add(id)
    reads.isNew = true
    reads.isRequired ||= isRequired
  }
}

function begun(
  context: SubgraphContext,
  key: string,
  type: string,
  summary: TypeReads['summary'],
): TypeReads {
  const none = { fields: new Set<string>(), ids: new Set<string>(), own: new Set<string>() }
  const reads = { ...none, type, summary, isNew: false, isRequired: false }
  context.reads.set(key, reads)
  return reads
}

/** The note of a measure of a group: an amount of rows that are not named. */
function noteOfMeasure(type: string, field: string, name: SensitiveClassName): Note {
  const isRequired = sensitiveClasses[name].reads === 'required'
  const key = `${type} summary`
  return (context, source) => {
    const { key: common, count } = (source ?? {}) as Partial<ShownGroup>
    if (!common || !count) return
    const nothing = { groups: new Set<object>(), by: new Set<string>(), rows: 0 }
    const reads = context.reads.get(key) ?? begun(context, key, type, nothing)
    const summary = reads.summary!
    if (reads.fields.has(field) && summary.groups.has(source!)) return
    reads.fields.add(field)
    summary.groups.add(source!)
    for (const dimension of Object.keys(common)) summary.by.add(dimension)
    summary.rows = Math.max(summary.rows, count)
    reads.isNew = true
    reads.isRequired ||= isRequired
  }
}

/** Notes that rows were chosen by a field's value: an entry is due also where there were none. */
export function noteCondition(
  context: SubgraphContext,
  type: string,
  field: string,
  name: SensitiveClassName,
  rows: readonly Source[],
): void {
  const note = noteOf(type, field, name)
  for (const row of rows) note(context, row)
  const reads = context.reads.get(type) ?? begun(context, type, type, null)
  if (reads.fields.has(field)) return
  reads.fields.add(field)
  reads.isNew = true
  reads.isRequired ||= sensitiveClasses[name].reads === 'required'
}

/** Resolvers that note what they show, with the note: the compiled execution answers plain properties without a call. */
const notes = new WeakMap<object, { note: Note; inner: Resolver }>()

/** The resolver inside one that notes reads, and its note; undefined for any other. */
export function recordedResolver(resolve: unknown): { note: Note; inner: Resolver } | undefined {
  return typeof resolve === 'function' ? notes.get(resolve) : undefined
}

/**
 * Makes the fields of recorded classes, and the measures of summaries, note what they show, whoever executes the schema.
 * To be called when the guards are in: what they refuse is no read.
 */
export function recordReads(schema: GraphQLSchema, sensitive: SensitiveFields): void {
  for (const [typeName, fields] of sensitive) {
    for (const [name, sensitiveClass] of fields) {
      if (sensitiveClasses[sensitiveClass].reads === 'unrecorded') continue
      noteReads(schema, typeName, name, noteOf(typeName, name, sensitiveClass))
      noteReads(schema, `${typeName}Group`, name, noteOfMeasure(typeName, name, sensitiveClass))
    }
  }
}

/** Makes a field, where there is one, note what it shows. */
function noteReads(schema: GraphQLSchema, typeName: string, name: string, note: Note): void {
  const type = schema.getType(typeName)
  const field = isObjectType(type) ? type.getFields()[name] : undefined
  if (!field) return
  const inner = (field.resolve ?? defaultFieldResolver) as Resolver
  const resolve: Resolver = (source, args, context, info) => {
    const value: unknown = inner(source, args, context, info)
    const noted = (shown: unknown) => {
      if (isShown(shown)) note(context, source as Source)
      return shown
    }
    return isPromise(value) ? value.then(noted) : noted(value)
  }
  notes.set(resolve, { note, inner })
  field.resolve = resolve as GraphQLFieldResolver<unknown, unknown>
}
