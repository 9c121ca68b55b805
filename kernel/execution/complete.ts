import {
  GraphQLBoolean,
  GraphQLError,
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  GraphQLString,
  defaultTypeResolver,
  isAbstractType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLAbstractType,
  type GraphQLLeafType,
  type GraphQLList,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type ResponsePath,
} from 'graphql'
import { inspect } from 'graphql/jsutils/inspect'
import { allOf, isPromise } from './sync-promise'
import { caught, failure, type Path, type Place, type Run } from './run'

/** `path` and `info` are there unless the completion says that it does without. */
export type Complete = (run: Run, value: unknown, path: Path, info: GraphQLResolveInfo | undefined) => unknown

/** Says how values of one type become what the answer shows of them. */
export interface Completion {
  readonly isNonNull: boolean
  /** Neither a list nor an object: it needs no path. */
  readonly isLeaf: boolean
  /** Its types are found out by functions that take the field's info. */
  readonly needsInfo: boolean
  /** A value, or a promise of one; throws what makes its place null. */
  readonly complete: Complete
}

/** Executes what is selected of an object. */
export type ExecuteObject = (run: Run, source: unknown, path: Path) => unknown
/** The execution of a field's selections on one object type, compiled when an object of it comes. */
export type ObjectCompiler = (type: GraphQLObjectType) => ExecuteObject

/** The completion of a field's type. */
export function completionOf(type: GraphQLOutputType, place: Place, objects: ObjectCompiler): Completion {
  if (!isNonNullType(type)) return nullable(type, place, objects)
  const inner = nullable(type.ofType, place, objects)
  return {
    ...inner,
    isNonNull: true,
    complete(run, value, path, info) {
      const completed = inner.complete(run, value, path, info)
      if (completed === null)
        throw new Error(`Cannot return null for non-nullable field ${place.parentType.name}.${place.name}.`)
      return completed
    },
  }
}

function nullable(type: GraphQLOutputType, place: Place, objects: ObjectCompiler): Completion {
  const inner = completePresent(type, place, objects)
  return {
    ...inner,
    complete(run, value, path, info) {
      if (value === null || value === undefined) return null
      if (value instanceof Error) throw value
      return inner.complete(run, value, path, info)
    },
  }
}

/** Completes values that are neither null nor an error. */
function completePresent(type: GraphQLOutputType, place: Place, objects: ObjectCompiler): Completion {
  if (isListType(type)) return listOf(type, place, objects)
  if (isAbstractType(type)) return abstract(type, place, objects)
  if (isObjectType(type)) {
    const complete = objectOf(type, place, objects)
    return { isNonNull: false, isLeaf: false, needsInfo: Boolean(type.isTypeOf), complete }
  }
  return { isNonNull: false, isLeaf: true, needsInfo: false, complete: leaf(type as GraphQLLeafType) }
}

/** The usual case of a scalar, checked as graphql-js does; all other values and the messages are left to it. */
function serializer(type: GraphQLLeafType): (value: unknown) => unknown {
  const serialize = (value: unknown): unknown => type.serialize(value)
  switch (type) {
    case GraphQLString:
    case GraphQLID:
      return (value) => (typeof value === 'string' ? value : serialize(value))
    case GraphQLInt:
      return (value) => (typeof value === 'number' && (value | 0) === value ? value : serialize(value))
    case GraphQLFloat:
      return (value) => (typeof value === 'number' && Number.isFinite(value) ? value : serialize(value))
    case GraphQLBoolean:
      return (value) => (typeof value === 'boolean' ? value : serialize(value))
    default:
      return serialize
  }
}

function leaf(type: GraphQLLeafType): Complete {
  const serialize = serializer(type)
  return (_run, value) => {
    const serialized = serialize(value)
    if (serialized === null || serialized === undefined)
      throw new Error(
        `Expected \`${inspect(type)}.serialize(${inspect(value)})\` to ` +
          `return non-nullable value, returned: ${inspect(serialized)}`,
      )
    return serialized
  }
}

function listOf(type: GraphQLList<GraphQLOutputType>, place: Place, objects: ObjectCompiler): Completion {
  const item = completionOf(type.ofType, place, objects)
  const complete: Complete = (run, value, path, info) => {
    if (typeof value !== 'object' || !(Symbol.iterator in (value as object)))
      throw new GraphQLError(
        `Expected Iterable, but did not find one for field "${place.parentType.name}.${place.name}".`,
      )
    const completed: unknown[] = []
    let isPending = false
    try {
      for (const one of value as Iterable<unknown>) {
        const result = completeItem(
          item,
          place,
          run,
          one,
          { prev: path, key: completed.length, typename: undefined },
          info,
        )
        if (isPromise(result)) isPending = true
        completed.push(result)
      }
    } catch (error) {
      // The list is lost. What is under way in it may fail too, and an unhandled rejection ends the process.
      void Promise.allSettled(Array.isArray(value) ? [...completed, ...(value as unknown[])] : completed)
      throw error
    }
    return isPending ? allOf(completed) : completed
  }
  return { isNonNull: false, isLeaf: false, needsInfo: item.needsInfo, complete }
}

/** An element of a list, its failure included. */
export function completeItem(
  item: Completion,
  place: Place,
  run: Run,
  value: unknown,
  path: ResponsePath,
  info: GraphQLResolveInfo | undefined,
): unknown {
  try {
    if (isPromise(value)) return pendingItem(item, place, run, value, path, info)
    const result = item.complete(run, value, path, info)
    return isPromise(result) ? caught(result, run, place.nodes, path, item.isNonNull) : result
  } catch (raw) {
    return failure(run, raw, place.nodes, path, item.isNonNull)
  }
}

function pendingItem(
  item: Completion,
  place: Place,
  run: Run,
  value: PromiseLike<unknown>,
  path: ResponsePath,
  info: GraphQLResolveInfo | undefined,
): unknown {
  const completed = value.then((resolved) => item.complete(run, resolved, path, info))
  return caught(completed, run, place.nodes, path, item.isNonNull)
}

function objectOf(type: GraphQLObjectType, place: Place, objects: ObjectCompiler): Complete {
  let execute: ExecuteObject | undefined
  const plain: Complete = (run, value, path) => (execute ??= objects(type))(run, value, path)
  const { isTypeOf } = type
  if (!isTypeOf) return plain
  return (run, value, path, info) => {
    const admitted = (is: boolean) => {
      if (is) return plain(run, value, path, info)
      throw new GraphQLError(`Expected value of type "${type.name}" but got: ${inspect(value)}.`, {
        nodes: place.nodes,
      })
    }
    const is = isTypeOf.call(type, value, run.context, info!)
    return isPromise(is) ? is.then(admitted) : admitted(is)
  }
}

function abstract(type: GraphQLAbstractType, place: Place, objects: ObjectCompiler): Completion {
  const known = new Map<unknown, Complete>()
  const resolveType = type.resolveType ?? defaultTypeResolver
  const complete: Complete = (run, value, path, info) => {
    const completed = (name: unknown) => {
      let of = known.get(name)
      if (!of) known.set(name, (of = objectOf(runtimeType(run, type, place, value, name), place, objects)))
      return of(run, value, path, info)
    }
    const name = resolveType.call(type, value, run.context, info!, type)
    return isPromise(name) ? name.then(completed) : completed(name)
  }
  return { isNonNull: false, isLeaf: false, needsInfo: true, complete }
}

/** The object type that an abstract type's value was said to have. Throws, as graphql-js does, when it cannot be. */
function runtimeType(
  { scope: { schema } }: Run,
  type: GraphQLAbstractType,
  place: Place,
  value: unknown,
  name: unknown,
): GraphQLObjectType {
  const field = `"${place.parentType.name}.${place.name}"`
  const fault = (message: string, nodes?: Place['nodes']) =>
    new GraphQLError(`Abstract type "${type.name}" ${message}`, { nodes })
  if (name === null || name === undefined)
    throw fault(
      `must resolve to an Object type at runtime for field ${field}. Either the "${type.name}" type should provide a ` +
        '"resolveType" function or each possible type should provide an "isTypeOf" function.',
      place.nodes,
    )
  if (isObjectType(name))
    throw new GraphQLError(
      'Support for returning GraphQLObjectType from resolveType was removed in graphql-js@16.0.0 please return type name instead.',
    )
  if (typeof name !== 'string')
    throw fault(
      `must resolve to an Object type at runtime for field ${field} with value ${inspect(value)}, received "${inspect(name)}".`,
    )
  const runtime = schema.getType(name)
  if (!runtime)
    throw fault(`was resolved to a type "${name}" that does not exist inside the schema.`, place.nodes)
  if (!isObjectType(runtime)) throw fault(`was resolved to a non-object type "${name}".`, place.nodes)
  if (!schema.isSubType(type, runtime))
    throw new GraphQLError(`Runtime Object type "${name}" is not a possible type for "${type.name}".`, {
      nodes: place.nodes,
    })
  return runtime
}
