import type { Location } from '../composition/locations'
import { locationOf } from '../composition/locations'
import { readSchema, type SchemaModel } from '../schema-model'
import { hasCoordinate } from '../suggestions'
import type { SubgraphSource } from '../composition/subgraph-files'
import { accessDeclared } from './access'
import { connections } from './connections'
import { deprecations } from './deprecations'
import { documented } from './documented'
import { naming } from './naming'
import { nullability } from './nullability'
import type { Finding, LintedSubgraph } from './linted-subgraph'
import type { LintCode } from './rules'

/** A place where a subgraph's schema does not follow the house rules. */
export interface LintFinding {
  code: LintCode
  severity: 'error' | 'warning'
  coordinate: string
  message: string
  location: Location | null
}

const rules: ((subgraph: LintedSubgraph) => Iterable<Finding>)[] = [
  accessDeclared,
  connections,
  deprecations,
  documented,
  naming,
  nullability,
]

/**
 * Holds the subgraphs' schemas against the house rules (docs/decisions/0008-schema-registry.md lists them).
 */
export function lint(subgraphs: readonly SubgraphSource[]): LintFinding[] {
  const models = subgraphs.map(({ name, typeDefs }) => ({ name, schema: readSchema(typeDefs) }))
  const owner = ownersOf(models)
  const seen = new Set<string>()
  const exists = (coordinate: string) => models.some(({ schema }) => hasCoordinate(schema, coordinate))
  return models.flatMap(({ name, schema }) =>
    rules.flatMap((rule) =>
      [...rule({ name, schema, exists, owns: (typeName) => owner.get(typeName) === name })].flatMap(
        ({ node, ...finding }) => {
          const location = locationOf(node)
          // A shared file is part of every subgraph: one finding is enough.
          const key = `${finding.code} ${finding.coordinate} ${location?.file}:${location?.line}`
          if (seen.has(key)) return []
          seen.add(key)
          return [{ ...finding, severity: 'error' as const, location }]
        },
      ),
    ),
  )
}

/** Each type belongs to the subgraph that says most about it; stubs of entities say little. */
function ownersOf(models: readonly { name: string; schema: SchemaModel }[]): Map<string, string> {
  const owners = new Map<string, string>()
  const weight = new Map<string, number>()
  for (const { name, schema } of models) {
    for (const type of schema.types.values()) {
      if ((weight.get(type.name) ?? -1) >= type.fields.size) continue
      weight.set(type.name, type.fields.size)
      owners.set(type.name, name)
    }
  }
  return owners
}
