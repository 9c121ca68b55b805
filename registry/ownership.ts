import { canonicalFields } from './diff/values'
import type { FieldModel, SchemaModel, TypeModel } from './schema-model'

/** A subgraph's part in a type of the supergraph. */
export interface TypeOwner {
  /** Name of the subgraph. */
  graph: string
  /** Field sets, in one form, by which it finds an object; those it only refers to others by are left out. */
  keys: readonly string[]
  isInterfaceObject: boolean
}

/** A subgraph's part in a field of the supergraph. */
export interface FieldOwner {
  graph: string
  requires: string | null
  provides: string | null
  /** The subgraph it takes the field over from. */
  override: string | null
  /** It only refers to the field, or another subgraph took it over. */
  abandoned: boolean
}

export interface Ownership {
  /** Tells whether the supergraph has a subgraph of this name. */
  has(graph: string): boolean
  graphsOf(type: TypeModel): TypeOwner[]
  /** The subgraphs that have the field; all of the type's when the supergraph names none. */
  ownersOf(type: TypeModel, field: FieldModel): FieldOwner[]
}

/** Names who resolves what, as the supergraph's `@join__…` directives say: https://specs.apollo.dev/join/v0.5 */
export function ownership(supergraph: SchemaModel): Ownership {
  const nameOf = (graph: unknown) => supergraph.subgraphs.get(String(graph))?.name ?? String(graph)
  const text = (value: unknown) => (typeof value === 'string' ? value : null)
  const fields = (value: unknown) => (typeof value === 'string' ? canonicalFields(value) : null)
  const graphsOf = (type: TypeModel): TypeOwner[] => {
    const owners = new Map<string, { graph: string; keys: string[]; isInterfaceObject: boolean }>()
    for (const { name, args } of type.directives) {
      if (name !== 'join__type') continue
      const graph = nameOf(args['graph'])
      const owner = owners.get(graph) ?? {
        graph,
        keys: [],
        isInterfaceObject: args['isInterfaceObject'] === true,
      }
      if (typeof args['key'] === 'string' && args['resolvable'] !== false)
        owner.keys.push(canonicalFields(args['key']))
      owners.set(graph, owner)
    }
    return [...owners.values()]
  }
  const names = new Set([...supergraph.subgraphs.values()].map(({ name }) => name))
  return {
    has: (graph) => names.has(graph),
    graphsOf,
    ownersOf(type, field) {
      const owners = field.directives
        .filter(({ name, args }) => name === 'join__field' && args['graph'] !== undefined)
        .map(({ args }) => ({
          graph: nameOf(args['graph']),
          requires: fields(args['requires']),
          provides: fields(args['provides']),
          override: text(args['override']),
          abandoned: args['external'] === true || args['usedOverridden'] === true,
        }))
      if (owners.length > 0) return owners
      return graphsOf(type).map(({ graph }) => ({
        graph,
        requires: null,
        provides: null,
        override: null,
        abandoned: false,
      }))
    },
  }
}
