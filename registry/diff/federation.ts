import type { Change } from '../change'
import type { FieldModel, SchemaModel, TypeModel } from '../schema-model'
import { tagsOf } from '../versions/tags'
import { ownership, type FieldOwner, type Ownership } from '../ownership'

/**
 * Differences between two supergraphs in who resolves what, and in tags. Only tags for schemas that are no supergraphs.
 * @param unchanged types to pass over
 */
export function federationChanges(
  from: SchemaModel,
  to: SchemaModel,
  unchanged: ReadonlySet<string>,
): Change[] {
  const changes = tagChanges(from, to, unchanged)
  if (from.subgraphs.size === 0 || to.subgraphs.size === 0) return changes
  const [before, after] = [ownership(from), ownership(to)]
  changes.push(...subgraphChanges(from, to))
  for (const type of from.types.values()) {
    if (unchanged.has(type.name)) continue
    const kept = to.types.get(type.name)
    if (!kept || kept.kind !== type.kind) continue
    changes.push(...keyChanges(type, kept, before, after))
    for (const field of type.fields.values()) {
      const keptField = kept.fields.get(field.name)
      if (keptField) changes.push(...resolverChanges(type, field, kept, keptField, before, after))
    }
  }
  return changes
}

function subgraphChanges(from: SchemaModel, to: SchemaModel): Change[] {
  const changes: Change[] = []
  const after = new Map([...to.subgraphs.values()].map(({ name, url }) => [name, url]))
  const before = new Map([...from.subgraphs.values()].map(({ name, url }) => [name, url]))
  for (const [name, url] of before) {
    const now = after.get(name)
    if (now === undefined) {
      changes.push({
        code: 'SUBGRAPH_REMOVED',
        severity: 'dangerous',
        coordinate: name,
        message: `The subgraph ${name} was removed`,
        affects: [],
      })
    } else if (now !== url) {
      const message = `The subgraph ${name} was at ${url || 'no address'} and is at ${now || 'no address'} now`
      changes.push({
        code: 'SUBGRAPH_URL_CHANGED',
        severity: 'dangerous',
        coordinate: name,
        message,
        from: url,
        to: now,
        affects: [],
      })
    }
  }
  for (const name of after.keys()) {
    if (before.has(name)) continue
    changes.push({
      code: 'SUBGRAPH_ADDED',
      severity: 'safe',
      coordinate: name,
      message: `The subgraph ${name} was added`,
      affects: [],
    })
  }
  return changes
}

function keyChanges(type: TypeModel, kept: TypeModel, before: Ownership, after: Ownership): Change[] {
  const changes: Change[] = []
  const [graphsBefore, graphsAfter] = [before.graphsOf(type), after.graphsOf(kept)]
  for (const { graph, keys, isInterfaceObject } of graphsBefore) {
    if (!after.has(graph)) continue // told once, as the subgraph that is gone
    const now = graphsAfter.find((candidate) => candidate.graph === graph)
    if (now && now.isInterfaceObject !== isInterfaceObject) {
      changes.push({
        code: 'INTERFACE_OBJECT_CHANGED',
        severity: 'dangerous',
        coordinate: type.name,
        message: `${graph} ${now.isInterfaceObject ? 'treats' : 'no longer treats'} the interface ${type.name} as an object`,
        to: `${graph}: ${String(now.isInterfaceObject)}`,
        affects: [type.name, `~${type.name}`],
      })
    }
    for (const key of keys) {
      if (now?.keys.includes(key)) continue
      changes.push({
        code: 'KEY_REMOVED',
        severity: 'breaking',
        coordinate: type.name,
        message: `${graph} no longer finds ${type.name} by "${key}"`,
        from: `${graph}: ${key}`,
        affects: [type.name, `~${type.name}`],
      })
    }
  }
  for (const { graph, keys } of graphsAfter) {
    const was = graphsBefore.find((candidate) => candidate.graph === graph)
    for (const key of keys) {
      if (was?.keys.includes(key)) continue
      const message = `${graph} finds ${type.name} by "${key}" now`
      changes.push({
        code: 'KEY_ADDED',
        severity: 'safe',
        coordinate: type.name,
        message,
        to: `${graph}: ${key}`,
        affects: [],
      })
    }
  }
  return changes
}

function resolverChanges(
  type: TypeModel,
  field: FieldModel,
  keptType: TypeModel,
  kept: FieldModel,
  before: Ownership,
  after: Ownership,
): Change[] {
  const changes: Change[] = []
  const coordinate = `${type.name}.${field.name}`
  const [was, is] = [before.ownersOf(type, field), after.ownersOf(keptType, kept)]
  for (const owner of was) {
    if (owner.abandoned || !after.has(owner.graph)) continue
    const now = is.find(({ graph, abandoned }) => graph === owner.graph && !abandoned)
    const heir = is.find(({ override }) => override === owner.graph)
    const others = is.filter(({ abandoned }) => !abandoned).map(({ graph }) => graph)
    if (now) changes.push(...selectionChanges(coordinate, owner, now))
    else if (heir) {
      // Composition insists that the old subgraph still has the field, so plans of the previous version work.
      const message = `${coordinate} moved from ${owner.graph} to ${heir.graph}`
      changes.push({
        code: 'FIELD_OVERRIDDEN',
        severity: 'safe',
        coordinate,
        message,
        from: owner.graph,
        to: heir.graph,
        affects: [],
      })
    } else {
      changes.push({
        code: 'FIELD_RESOLVER_REMOVED',
        severity: 'breaking',
        coordinate,
        message: `${coordinate} is not resolved by ${owner.graph} any more, but by ${others.join(' and ')}: gateways on the previous version still ask ${owner.graph}`,
        from: owner.graph,
        to: others.join(' '),
        affects: [coordinate, `~${coordinate}`],
      })
    }
  }
  for (const owner of is) {
    if (owner.abandoned || was.some(({ graph }) => graph === owner.graph) || owner.override) continue
    changes.push({
      code: 'FIELD_RESOLVER_ADDED',
      severity: 'safe',
      coordinate,
      message: `${coordinate} is resolved by ${owner.graph} too`,
      to: owner.graph,
      affects: [],
    })
  }
  return changes
}

function selectionChanges(coordinate: string, was: FieldOwner, is: FieldOwner): Change[] {
  const changes: Change[] = []
  if (was.requires !== is.requires) {
    changes.push({
      code: 'REQUIRES_CHANGED',
      severity: 'dangerous',
      coordinate,
      message: `${coordinate} in ${was.graph} required ${was.requires ?? 'nothing'} and requires ${is.requires ?? 'nothing'} now`,
      from: was.requires ?? '',
      to: is.requires ?? '',
      affects: [coordinate, `~${coordinate}`],
    })
  }
  if (was.provides !== null && was.provides !== is.provides) {
    changes.push({
      code: 'PROVIDES_REMOVED',
      severity: 'dangerous',
      coordinate,
      message: `${was.graph} provided ${was.provides} with ${coordinate}, and provides ${is.provides ?? 'nothing'} now`,
      from: was.provides,
      to: is.provides ?? '',
      affects: [coordinate, `~${coordinate}`],
    })
  }
  return changes
}

/** Tags select what a contract shows. */
function tagChanges(from: SchemaModel, to: SchemaModel, unchanged: ReadonlySet<string>): Change[] {
  const changes: Change[] = []
  const tagged = (schema: SchemaModel) => {
    const found = new Map<string, ReadonlySet<string>>()
    for (const { coordinate, tags } of tagsOf(schema, unchanged)) found.set(coordinate, tags)
    return found
  }
  const [before, after] = [tagged(from), tagged(to)]
  const none: ReadonlySet<string> = new Set()
  for (const coordinate of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(coordinate) ?? none, after.get(coordinate) ?? none]
    for (const tag of was) {
      if (is.has(tag)) continue
      const message = `${coordinate} is not tagged "${tag}" any more`
      changes.push({ code: 'TAG_REMOVED', severity: 'safe', coordinate, message, from: tag, affects: [] })
    }
    for (const tag of is) {
      if (was.has(tag)) continue
      const message = `${coordinate} is tagged "${tag}" now`
      changes.push({ code: 'TAG_ADDED', severity: 'safe', coordinate, message, to: tag, affects: [] })
    }
  }
  return changes
}
