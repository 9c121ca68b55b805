import {
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
} from 'graphql'
import type { SubgraphContext } from '../context'
import { allOf, isPromise } from './sync-promise'
import { completeItem, completionOf, type Complete, type Completion, type ObjectCompiler } from './complete'
import { type Place, type Scope } from './run'

type Field = GraphQLField<unknown, unknown>

type FieldResolver = GraphQLFieldResolver<unknown, unknown, Record<string, unknown>>

/** Says how a subgraph answers references to a type. */
export type ReferenceResolver = (
  reference: object,
  context: SubgraphContext,
  info: GraphQLResolveInfo,
) => unknown

/** Describes where @apollo/subgraph keeps reference resolvers. */
export interface ReferenceExtensions {
  apollo?: { subgraph?: { resolveReference?: ReferenceResolver } }
}

/** Describes what references of one request became: the n-th value is of the n-th type. */
interface Resolved {
  readonly types: readonly GraphQLObjectType[]
  readonly values: readonly unknown[]
}
const isResolved = (value: unknown): value is Resolved =>
  typeof value === 'object' && value !== null && 'types' in value

/** Tells whether a field is the one through which a gateway asks for entities. */
export function isEntitiesField({ schema }: Scope, parentType: GraphQLObjectType, { name }: Field): boolean {
  return name === '_entities' && parentType === schema.getQueryType()
}

/**
 * Answers references without the chain of promises that @apollo/subgraph makes for each: what a reference names is
 * known, so nothing has to be written into the object and read from it again. References to interfaces are left to it.
 */
export function referenceResults(definition: Field): FieldResolver {
  return (source, args, context, info) => {
    const representations = args['representations'] as { __typename: string }[]
    const types = representations.map(({ __typename }) => info.schema.getType(__typename))
    if (types.some(isInterfaceType)) return definition.resolve!(source, args, context, info)
    const values = representations.map((reference, index) => {
      const type = types[index]
      if (!isObjectType(type))
        throw new Error(
          `The _entities resolver tried to load an entity for type "${reference.__typename}", but no object or interface type of that name was found in the schema`,
        )
      const resolve = (type.extensions as ReferenceExtensions).apollo?.subgraph?.resolveReference
      return resolve ? resolve(reference, context as SubgraphContext, info) : reference
    })
    return { types, values }
  }
}

/** The completion of what {@link referenceResults} gives. */
export function entitiesCompletion({ type }: Field, place: Place, objects: ObjectCompiler): Completion {
  const ofList = completionOf(type, place, objects)
  const list = isNonNullType(type) ? type.ofType : type
  const other = completionOf(isListType(list) ? list.ofType : list, place, objects)
  const known = new Map<GraphQLObjectType, Completion>()
  const complete: Complete = (run, resolved, path, info) => {
    if (!isResolved(resolved)) return ofList.complete(run, resolved, path, info)
    let isPending = false
    const completed = resolved.values.map((value, index) => {
      const type = resolved.types[index]!
      let item = known.get(type)
      if (!item) known.set(type, (item = entityOf(completionOf(type, place, objects), other)))
      const result = completeItem(
        item,
        place,
        run,
        value,
        { prev: path, key: index, typename: undefined },
        info,
      )
      if (isPromise(result)) isPending = true
      return result
    })
    return isPending ? allOf(completed) : completed
  }
  return { isNonNull: ofList.isNonNull, isLeaf: false, needsInfo: true, complete }
}

/** An object of the type that its reference names; what is no object at all is the error that it always was. */
function entityOf(completion: Completion, other: Completion): Completion {
  return {
    ...completion,
    complete: (run, value, path, info) =>
      (typeof value === 'object' ? completion : other).complete(run, value, path, info),
  }
}
