import { getNamedType, isEnumType, isListType, isNonNullType } from 'graphql'
import { inputValue } from '../documents'
import type { Lab } from '../lab'
import type { AttackedTenant } from '../population'
import type { FilterPlace } from '../surface'

/** What a victim's row holds where a filter looks, in the filter's type; a sample where that cannot be said. */
export function filterValue(lab: Lab, victim: AttackedTenant, node: string, filter: FilterPlace): unknown {
  const row = lab.rows.sample(victim, node)
  const named = getNamedType(filter.type)
  const property = filter.path[0]!
  const text = Object.entries(row ?? {}).find(
    ([name, value]) => typeof value === 'string' && value.length > 5 && !/Id$|^id$|At$/.test(name),
  )?.[1]
  let value = property === 'search' ? text : row?.[property]
  if (named.name === 'ID') value ??= lab.rows.id(victim, lab.rows.parentOf(node, property) ?? node)
  const fits =
    (isEnumType(named) && named.getValue(String(value)) !== undefined) ||
    (['Int', 'Float'].includes(named.name) && typeof value === 'number') ||
    (['ID', 'String', 'EmailAddress', 'Date', 'CurrencyCode'].includes(named.name) &&
      typeof value === 'string') ||
    (named.name === 'Boolean' && typeof value === 'boolean')
  const ids = () => lab.rows.id(victim, node)
  if (!fits) return inputValue(filter.type, { ids })
  const inner = isNonNullType(filter.type) ? filter.type.ofType : filter.type
  return isListType(inner) ? [value] : value
}
