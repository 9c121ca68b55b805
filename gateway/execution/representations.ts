import {
  getNamedType,
  isAbstractType,
  isInterfaceType,
  isNonNullType,
  type GraphQLNamedType,
  type GraphQLSchema,
} from 'graphql'
import { isData, merge, set, type Data } from './data'
import type { FetchNode, Rewrite } from './query-plan'
import type { RequiredFields } from './required-fields'

type Selection = NonNullable<FetchNode['requires']>[number]

/**
 * Describes what a subgraph is told of an entity so that it finds it; null when something that it needs is not known.
 */
export type Representation = (entity: Data) => Data | null

/**
 * Compiles what a fetch requires. As in stock: a field that is not there means that fetching it failed, which has its
 * own error already, so the entity is left out; one without a type name is not asked for either.
 *
 * @param supergraph the whole supergraph's types, for entities may be of types that clients do not see
 * @param required the fields that a subgraph knows by another name
 */
export function representationOf(
  { requires, inputRewrites }: Pick<FetchNode, 'requires' | 'inputRewrites'>,
  supergraph: GraphQLSchema,
  required: RequiredFields = new Map(),
): Representation {
  const pick = picker(requires ?? [], supergraph, required)
  const rewrite = rewriter(inputRewrites, supergraph)
  return (entity) => {
    const representation = pick(entity)
    if (!representation?.['__typename']) return null
    rewrite(representation)
    return representation
  }
}

type Picker = (source: Data) => Data | null

function picker(
  selections: readonly Selection[],
  supergraph: GraphQLSchema,
  required: RequiredFields,
): Picker {
  const parts = selections.flatMap((selection) => part(selection, supergraph, required))
  return (source) => {
    let result: Data | null = null
    for (const add of parts) {
      const added = add(source, result)
      if (added === undefined) return null
      result = added
    }
    return result ?? {}
  }
}

/** Adds a selection's fields to the result, the first to a new one; undefined when one is not there. */
type Add = (source: Data, result: Data | null) => Data | null | undefined

function part(selection: Selection, supergraph: GraphQLSchema, required: RequiredFields): Add[] {
  if (selection.kind === 'InlineFragment') {
    const { typeCondition } = selection
    if (!typeCondition) return []
    const within = typesWithin(typeCondition, supergraph)
    const pick = picker(selection.selections, supergraph, required)
    return [
      (source, result) => {
        const picked = within.has(source['__typename']) ? pick(source) : null
        if (!picked || !result) return picked ?? result
        merge(result, picked)
        return result
      },
    ]
  }
  const key = selection.alias ?? selection.name
  const told = required.get(key)?.name ?? key
  const isOfEveryObject = key in {}
  const pick = selection.selections && picker(selection.selections, supergraph, required)
  const deep = (value: unknown): unknown => {
    if (!pick) return value
    if (Array.isArray(value)) return value.map(deep)
    return isData(value) ? pick(value) : null
  }
  return [
    (source, result) => {
      const value = isOfEveryObject && !Object.hasOwn(source, key) ? undefined : source[key]
      if (value === undefined) return undefined
      const added = result ?? {}
      if (isOfEveryObject) set(added, told, deep(value))
      else added[told] = deep(value)
      return added
    },
  ]
}

/** Tells whether an object has a null, among what is required of it, that the schema forbids: nobody can be asked with it. */
export type Breaks = (object: Data) => boolean

/** Compiles the check of what is required against the supergraph. */
export function breaksSchema(
  selections: readonly Selection[],
  supergraph: GraphQLSchema,
  type?: GraphQLNamedType,
): Breaks {
  const checks = selections.flatMap((selection): Breaks[] => {
    if (selection.kind === 'InlineFragment') {
      const { typeCondition } = selection
      if (!typeCondition) return []
      const below = breaksSchema(selection.selections, supergraph, supergraph.getType(typeCondition))
      const within = typesWithin(typeCondition, supergraph)
      return [(object) => within.has(object['__typename']) && below(object)]
    }
    const declared = type && 'getFields' in type ? type.getFields()[selection.name]?.type : undefined
    if (!declared) return []
    const key = selection.alias ?? selection.name
    const named = getNamedType(declared)
    const below = selection.selections && breaksSchema(selection.selections, supergraph, named)
    const inside = (value: unknown): boolean =>
      Array.isArray(value) ? value.some(inside) : isData(value) && below!(value)
    const isNonNull = isNonNullType(declared)
    if (!isNonNull && !below) return []
    return [(object) => (isNonNull && object[key] === null) || (below !== undefined && inside(object[key]))]
  })
  return (object) => checks.some((check) => check(object))
}

/** The names of the types that a type condition holds for. */
export function typesWithin(condition: string, supergraph: GraphQLSchema): ReadonlySet<unknown> {
  const type = supergraph.getType(condition)
  const names = [condition]
  if (isAbstractType(type)) names.push(...supergraph.getPossibleTypes(type).map(({ name }) => name))
  if (isInterfaceType(type))
    names.push(...supergraph.getImplementations(type).interfaces.map(({ name }) => name))
  return new Set(names)
}

/**
 * Compiles the changes a plan makes to what is sent or received: the type name that a subgraph knows an interface's
 * objects by, and aliases of fields that two types have with different types.
 */
export function rewriter(
  rewrites: readonly Rewrite[] | undefined,
  supergraph: GraphQLSchema,
): (value: unknown) => void {
  const all = (rewrites ?? []).map((rewrite) => {
    const key = rewrite.path.at(-1)!
    const change = (object: Data) => {
      if (rewrite.kind === 'ValueSetter') object[key] = rewrite.setValueTo
      else if (object[key] !== undefined) {
        object[rewrite.renameKeyTo] = object[key]
        object[key] = undefined
      }
    }
    return rewrite.path.slice(0, -1).reduceRight<(value: unknown) => void>((next, step) => {
      const condition = /^\.\.\. on (.*)$/.exec(step)?.[1]
      if (condition === undefined) return each((object) => next(object[step]))
      const within = typesWithin(condition, supergraph)
      // An object that does not say its type is taken for one of the type.
      return each((object) => {
        if (!object['__typename'] || within.has(object['__typename'])) next(object)
      })
    }, each(change))
  })
  return (value) => {
    for (const rewrite of all) rewrite(value)
  }
}

function each(work: (object: Data) => void): (value: unknown) => void {
  return function visit(value) {
    if (Array.isArray(value)) value.forEach(visit)
    else if (isData(value)) work(value)
  }
}
