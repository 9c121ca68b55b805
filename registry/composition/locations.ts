import type { ASTNode, DocumentNode } from 'graphql'
import { getLocation } from 'graphql'
import { readSchema, type SchemaModel } from '../schema-model'

/** A place in a schema file. */
export interface Location {
  file: string
  line: number
  column: number
}

/** Finds where a node was read; null for nodes that no file holds. */
export function locationOf(node: ASTNode | undefined): Location | null {
  if (!node?.loc?.source) return null
  const { line, column } = getLocation(
    node.loc.source,
    ('name' in node && node.name?.loc ? node.name.loc : node.loc).start,
  )
  return { file: node.loc.source.name, line, column }
}

/** Finds schema coordinates in the subgraphs' files. What is gone is looked for at the place it was taken from. */
export function locator(documents: readonly DocumentNode[]): (coordinate: string) => Location | null {
  let models: SchemaModel[] | undefined
  return (coordinate) => {
    models ??= documents.map(readSchema)
    const candidates = models.flatMap((model) => nodesOf(model, coordinate))
    const [exact] = candidates.filter(
      ({ depth }) => depth === Math.max(...candidates.map((candidate) => candidate.depth)),
    )
    return locationOf(exact?.node)
  }
}

/** The deepest part of a coordinate that a schema has: depth 3 is an argument, 2 a field, 1 a type. */
function nodesOf(model: SchemaModel, coordinate: string): { node: ASTNode; depth: number }[] {
  const [, typeName = '', member, argument] = /^@?(\w+)(?:\.(\w+))?(?:\((\w+):\))?$/.exec(coordinate) ?? []
  if (coordinate.startsWith('@')) {
    const directive = model.directives.get(typeName)
    return directive ? [{ node: directive.args.get(argument ?? '')?.node ?? directive.node, depth: 1 }] : []
  }
  const type = model.types.get(typeName)
  if (!type) return []
  const field =
    member === undefined
      ? undefined
      : (type.fields.get(member) ?? type.inputFields.get(member) ?? type.values.get(member))
  const arg = argument !== undefined && field && 'args' in field ? field.args.get(argument) : undefined
  if (arg) return [{ node: arg.node, depth: 3 }]
  if (field) return [{ node: field.node, depth: 2 }]
  // Stubs of entities that belong elsewhere say the least about a type: prefer the one that says most.
  return type.nodes.map((node) => ({ node, depth: 1 + type.fields.size / 1000 }))
}
