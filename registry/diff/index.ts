import { sorted, type Change } from '../change'
import { visibleTo, type SchemaModel } from '../schema-model'
import { accessChanges } from './access'
import { appliedChanges } from './applied'
import { costChanges } from './cost'
import { directiveChanges } from './directives'
import { federationChanges } from './federation'
import { typeChanges } from './types'
import { unchangedTypes } from './unchanged'

/** All differences between two schemas (plain, supergraph or subgraph), worst first. */
export function diff(from: SchemaModel, to: SchemaModel): Change[] {
  const unchanged = unchangedTypes(from, to)
  const [before, after] = [visibleTo(from), visibleTo(to)]
  return sorted([
    ...typeChanges(before, after, unchanged),
    ...directiveChanges(before, after),
    ...accessChanges(before, after, unchanged),
    ...costChanges(before, after, unchanged),
    ...appliedChanges(before, after, unchanged),
    ...federationChanges(from, to, unchanged),
  ])
}

/** Returns what clients notice: the differences between what the two schemas show. */
export function apiChanges(from: SchemaModel, to: SchemaModel): Change[] {
  const [before, after] = [visibleTo(from), visibleTo(to)]
  return sorted([...typeChanges(before, after), ...directiveChanges(before, after)])
}
