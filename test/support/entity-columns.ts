import { getMetadataArgsStorage } from 'typeorm'
import { columnNameOf } from '../../kernel/connection/column-names'

/** Property → column of an entity class, inherited ones among them, before a database is opened. */
export function entityColumns(entity: abstract new () => unknown): ReadonlyMap<string, string> {
  const columns = getMetadataArgsStorage().columns.filter(
    ({ target }) => typeof target === 'function' && (target === entity || entity.prototype instanceof target),
  )
  return new Map(
    columns.map(({ propertyName, options }) => [propertyName, options.name ?? columnNameOf(propertyName)]),
  )
}
