import type { GraphQLSchema } from 'graphql'
import { objectsAt, type Data, type Path } from './data'
import type { FetchNode } from './query-plan'
import type { RequiredFields } from './required-fields'
import { breaksSchema, representationOf, typesWithin } from './representations'

/** The entities of one call: each representation once, and which of them an object has. */
export interface Asked {
  representations: Data[]
  /** The objects that have a representation, path by path. */
  objects: Data[]
  /** For each of the objects, the index of its representation. */
  indices: number[]
  /** For each path, the first of its objects; undefined where it has none. */
  firsts: (Data | undefined)[]
  /** The objects that this is for and that cannot be asked for: something of them is not known. */
  lacking: Data[]
}

/** Reads from an answer under way which entities to ask for. */
export interface Gather {
  (run: { data: Data; asked: Map<string, Asked> }): Asked
  /** Tells whether all that is required of an object is known. */
  isKnown(object: Data): boolean
}

/** Takes an entity into what is asked; {@link notMeant} or {@link lacking} for one that is not. */
type Take = (entity: Data) => number
/** An entity of a type that is not asked for, or of none, or with a null in its key where the schema has none. */
const notMeant = -1
/** An entity of which something that is required is not known. */
const lacking = -2

/** An entity fetch of a plan. */
export interface EntityFetch {
  fetch: FetchNode
  /** Says where in the answer it is for. */
  path: Path
  /** Fetches with the same number start at the same time. */
  after: number
}

/**
 * Compiles what fetches with the same operation require of the entities they are for. Others that start when they do
 * and require the same at the same paths are told the same.
 *
 * @param required the fields that a subgraph knows by another name
 */
export function gatherer(
  fetches: readonly EntityFetch[],
  supergraph: GraphQLSchema,
  required: RequiredFields,
): Gather {
  const [{ fetch }] = fetches as [EntityFetch]
  const { taker, isKnown } =
    takerByFields(fetch, supergraph, required) ?? takerByRepresentation(fetch, supergraph, required)
  const places = fetches.map(({ path, after }) => [path, after])
  const key = JSON.stringify([places, fetch.requires, fetch.inputRewrites])
  function gather(data: Data): Asked {
    const asked: Asked = { representations: [], objects: [], indices: [], firsts: [], lacking: [] }
    const take = taker(asked.representations)
    for (const { path } of fetches) {
      let first: Data | undefined
      for (const object of objectsAt([data], path)) {
        const index = take(object)
        if (index < 0) {
          if (index === lacking) asked.lacking.push(object)
          continue
        }
        first ??= object
        asked.objects.push(object)
        asked.indices.push(index)
      }
      asked.firsts.push(first)
    }
    return asked
  }
  const ofRun = ({ data, asked }: Parameters<Gather>[0]) => {
    let known = asked.get(key)
    if (!known) asked.set(key, (known = gather(data)))
    return known
  }
  return Object.assign(ofRun, { isKnown })
}

/** Says how entities are taken into what is asked of one request. */
interface Takes {
  taker: (all: Data[]) => Take
  isKnown: Gather['isKnown']
}

/** Whatever a fetch requires. */
function takerByRepresentation(fetch: FetchNode, supergraph: GraphQLSchema, required: RequiredFields): Takes {
  const breaks = breaksSchema(fetch.requires ?? [], supergraph)
  const represent = representationOf(fetch, supergraph, required)
  const meant = new Set(
    (fetch.requires ?? []).flatMap((part) =>
      part.kind === 'InlineFragment' && part.typeCondition
        ? [...typesWithin(part.typeCondition, supergraph)]
        : [],
    ),
  )
  const taker = (all: Data[]): Take => {
    const known = new Map<string, number>()
    return (entity) => {
      const representation = represent(entity)
      if (!representation) return meant.has(entity['__typename']) ? lacking : notMeant
      const key = JSON.stringify(representation)
      let index = known.get(key)
      if (index !== undefined) return index
      if (breaks(entity)) return notMeant
      known.set(key, (index = all.push(representation) - 1))
      return index
    }
  }
  return { taker, isKnown: (object) => represent(object) !== null }
}

/**
 * Returns what most fetches require, fields of one type without fields below. Nothing is made of an entity that is
 * asked for already.
 */
function takerByFields(fetch: FetchNode, supergraph: GraphQLSchema, required: RequiredFields): Takes | null {
  const [fragment, ...others] = fetch.requires ?? []
  if (fragment?.kind !== 'InlineFragment' || !fragment.typeCondition) return null
  if (others.length > 0 || fetch.inputRewrites?.length) return null
  const names: string[] = []
  for (const field of fragment.selections) {
    if (field.kind !== 'Field' || field.selections) return null
    names.push(field.alias ?? field.name)
  }
  if (!names.includes('__typename') || names.some((name) => name in {} || required.has(name))) return null
  const within = typesWithin(fragment.typeCondition, supergraph)
  const fields = names.filter((name) => name !== '__typename')
  const breaks = breaksSchema([fragment], supergraph)
  const taker = (all: Data[]): Take => {
    let typename: unknown
    let ofType = new Map<unknown, number>()
    const byType = new Map<unknown, typeof ofType>()
    return (entity) => {
      const type = entity['__typename']
      if (!type) return notMeant
      if (type !== typename) {
        if (!within.has(type)) return notMeant
        typename = type
        ofType = byType.get(type) ?? new Map<unknown, number>()
        byType.set(type, ofType)
      }
      const key = fields.length === 1 ? keyOf(entity[fields[0]!]) : keyOfFields(entity, fields)
      if (key === undefined) return lacking
      let index = ofType.get(key)
      if (index === undefined) {
        if (breaks(entity)) return notMeant
        const representation: Data = {}
        for (const name of names) representation[name] = entity[name]
        ofType.set(key, (index = all.push(representation) - 1))
      }
      return index
    }
  }
  return { taker, isKnown: (object) => fields.every((name) => object[name] !== undefined) }
}

/** The key that only equal values have in a Map: text and numbers themselves, of all else the JSON behind a sign. */
function keyOf(value: unknown): unknown {
  if (typeof value === 'string') return value.startsWith(json) ? json + JSON.stringify(value) : value
  return typeof value === 'object' && value !== null ? json + JSON.stringify(value) : value
}

const json = '\0'

/** The same for several values; undefined when one is not there. */
function keyOfFields(entity: Data, fields: readonly string[]): string | undefined {
  let key = ''
  for (const name of fields) {
    const value = entity[name]
    if (value === undefined) return undefined
    // With its length in front, no text can pass for another value.
    if (typeof value === 'string') key += `${value.length}"${value}`
    else if (typeof value === 'number') key += `${value} `
    else {
      const text = JSON.stringify(value)
      key += `${text.length}:${text}`
    }
  }
  return key
}
