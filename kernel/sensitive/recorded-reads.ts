import { defaultFieldResolver, isObjectType, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql'
import type { SubgraphContext } from '../context'
import { isPromise } from '../execution/sync-promise'
import { sensitiveClasses, type SensitiveClassName } from './classes'
import type { SensitiveFields } from './marks'
import type { TypeReads } from './request-reads'

type Resolver = GraphQLFieldResolver<unknown, SubgraphContext, Record<string, unknown>>
type Source = Readonly<Record<string, unknown>> | null | undefined

/** Tells whether a value, or a promise of one, is shown to the viewer. */
export const isShown = (value: unknown): boolean =>
  value !== null && value !== undefined && !(value instanceof Error)

/** Notes that the viewer is shown a value. */
type Note = (context: SubgraphContext, source: Source) => void

function noteOf(type: string, field: string, name: SensitiveClassName): Note {
  const isRequired = sensitiveClasses[name].reads === 'required'
  return (context, source) => {
    const id = source?.['id']
    if (typeof id !== 'string') return
    const reads = context.reads.get(type) ?? begun(context, type)
    if (reads.fields.has(field) && reads.ids.has(id)) return
    reads.fields.add(field)
    reads.ids.add(id)
    const { actorId } = context.binding
    if (actorId && (source!['userId'] === actorId || (type === 'User' && id === actorId))) reads.own.add(id)
    reads.isNew = true
    reads.isRequired ||= isRequired
  }
}

function begun(context: SubgraphContext, type: string): TypeReads {
  const reads = { fields: new Set<string>(), ids: new Set<string>(), own: new Set<string>() }
  const noted = { ...reads, isNew: false, isRequired: false }
  context.reads.set(type, noted)
  return noted
}

/** Notes that the viewer is shown what tells a field's value of a row, such as a cursor. */
export function noteShown(
  context: SubgraphContext,
  type: string,
  field: string,
  name: SensitiveClassName,
  row: Source,
): void {
  noteOf(type, field, name)(context, row)
}

/** Notes that rows were chosen by a field's value: an entry is due also where there were none. */
export function noteCondition(
  context: SubgraphContext,
  type: string,
  field: string,
  name: SensitiveClassName,
  rows: readonly Source[],
): void {
  for (const row of rows) noteShown(context, type, field, name, row)
  const reads = context.reads.get(type) ?? begun(context, type)
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
 * Makes the fields of recorded classes note what they show, whoever executes the schema. To be called when the guards
 * are in: what they refuse is no read.
 */
export function recordReads(schema: GraphQLSchema, sensitive: SensitiveFields): void {
  for (const [typeName, fields] of sensitive) {
    const type = schema.getType(typeName)
    if (!isObjectType(type)) continue
    for (const [name, sensitiveClass] of fields) {
      const field = type.getFields()[name]
      if (!field || sensitiveClasses[sensitiveClass].reads === 'unrecorded') continue
      const inner = (field.resolve ?? defaultFieldResolver) as Resolver
      const note = noteOf(typeName, name, sensitiveClass)
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
  }
}
