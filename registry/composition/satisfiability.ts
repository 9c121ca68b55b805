import { namedType, type FieldModel, type SchemaModel, type TypeModel } from '../schema-model'

/**
 * Proves, where it is plain to see, that a supergraph can answer every query: from each subgraph that has a type, one
 * step by a key leads to each other subgraph that has more of it. Composition finds ways of several steps too, by
 * trying all of them; what this cannot prove is left to that search. A proof stands on every path at once:
 *
 * - every pair of subgraphs (G, H) of an object type, where H resolves a field that G does not, has a key of H made of
 *   plain fields that G resolves itself, so wherever an object is met it can be completed in one step
 * - what a field requires are plain fields that some subgraph resolves without requirements, one step away as well
 * - nothing is used whose meaning depends on the path: @interfaceObject, keys of interfaces, contexts, progressive
 *   overrides, fields typed differently in subgraphs, shared fields that return interfaces or unions
 *
 * @returns false when it cannot tell
 */
export function plainlySatisfiable(supergraph: SchemaModel): boolean {
  const roots = new Set(Object.values(supergraph.roots))
  for (const type of supergraph.types.values()) {
    if (type.directives.some(({ name, args }) => name === 'join__type' && args['isInterfaceObject'] === true))
      return false
    if (
      type.kind === 'interface' &&
      type.directives.some(({ name, args }) => name === 'join__type' && args['key'] !== undefined)
    )
      return false
    for (const field of type.fields.values()) {
      if (dependsOnPath(supergraph, type, field, roots)) return false
    }
    if (type.kind === 'object' && !roots.has(type.name) && !completes(type)) return false
  }
  for (const root of roots) {
    const type = supergraph.types.get(root)
    if (
      type &&
      [...type.fields.values()].some((field) =>
        placesOf(type, field).some(({ requires }) => requires !== null),
      )
    )
      return false
  }
  return true
}

/** A subgraph in which a field is resolved. */
interface Place {
  graph: string
  requires: string | null
}

function placesOf(type: TypeModel, field: FieldModel): Place[] {
  const joins = field.directives.filter(
    ({ name, args }) => name === 'join__field' && args['graph'] !== undefined,
  )
  if (joins.length === 0) return [...graphsOf(type).keys()].map((graph) => ({ graph, requires: null }))
  return joins.flatMap(({ args }) =>
    args['external'] === true || args['usedOverridden'] === true
      ? []
      : [
          {
            graph: String(args['graph']),
            requires: typeof args['requires'] === 'string' ? args['requires'] : null,
          },
        ],
  )
}

/** The subgraphs of a type, with the keys by which each finds its objects. */
function graphsOf(type: TypeModel): Map<string, string[]> {
  const graphs = new Map<string, string[]>()
  for (const { name, args } of type.directives) {
    if (name !== 'join__type') continue
    const graph = String(args['graph'])
    const keys = graphs.get(graph) ?? []
    if (typeof args['key'] === 'string' && args['resolvable'] !== false) keys.push(args['key'])
    graphs.set(graph, keys)
  }
  return graphs
}

function dependsOnPath(
  supergraph: SchemaModel,
  type: TypeModel,
  field: FieldModel,
  roots: ReadonlySet<string>,
): boolean {
  const returned = namedType(field.type)
  const joins = field.directives.filter(({ name }) => name === 'join__field')
  const kind = supergraph.types.get(returned)?.kind
  return (
    roots.has(returned) ||
    (placesOf(type, field).length > 1 && (kind === 'interface' || kind === 'union')) ||
    joins.some(
      ({ args }) =>
        args['contextArguments'] !== undefined ||
        args['overrideLabel'] !== undefined ||
        (typeof args['type'] === 'string' && namedType(args['type']) !== returned),
    )
  )
}

/** Tells whether an object met in any subgraph of the type reaches all its fields in one step. */
function completes(type: TypeModel): boolean {
  const graphs = graphsOf(type)
  if (graphs.size === 1)
    return [...type.fields.values()].every((field) =>
      placesOf(type, field).every(({ requires }) => requires === null),
    )
  const resolved = new Map<string, Set<string>>([...graphs.keys()].map((graph) => [graph, new Set()]))
  const required: string[] = []
  const unconditional = new Set<string>()
  for (const field of type.fields.values()) {
    const places = placesOf(type, field)
    if (places.length === 0) return false
    for (const { graph, requires } of places) {
      // A field that needs others first is no ground to stand on for a key.
      if (requires === null) resolved.get(graph)?.add(field.name)
      else required.push(requires)
    }
    if (places.every(({ requires }) => requires === null)) unconditional.add(field.name)
  }
  if (!required.every((fields) => plainFields(fields)?.every((name) => unconditional.has(name)))) return false
  for (const [from, has] of resolved) {
    for (const [to, keys] of graphs) {
      const more =
        from !== to &&
        [...type.fields.values()].some(
          (field) => placesOf(type, field).some(({ graph }) => graph === to) && !has.has(field.name),
        )
      if (more && !keys.some((key) => plainFields(key)?.every((name) => has.has(name)))) return false
    }
  }
  return true
}

/** `id region` → two names; null when fields of fields are named. */
function plainFields(fieldSet: string): string[] | null {
  return /^[\w\s,]+$/.test(fieldSet) ? fieldSet.split(/[\s,]+/).filter(Boolean) : null
}
