import { sorted, type Change } from '../change'
import { visibleTo, type SchemaModel } from '../schema-model'
import { accessChanges } from './access'
import { costChanges } from './cost'
import { directiveChanges } from './directives'
import { federationChanges } from './federation'
import { typeChanges } from './types'

/** All differences between two schemas (plain, supergraph or subgraph), worst first. */
export function diff(from: SchemaModel, to: SchemaModel): Change[] {
  return sorted([
    ...apiChanges(from, to),
    ...accessChanges(from, to),
    ...costChanges(from, to),
    ...federationChanges(from, to),
  ])
}

/** What clients notice: the differences between what the two schemas show. */
export function apiChanges(from: SchemaModel, to: SchemaModel): Change[] {
  const [before, after] = [visibleTo(from), visibleTo(to)]
  return sorted([...typeChanges(before, after), ...directiveChanges(before, after)])
}
