import type { SubgraphContext } from '../context'
import { decryptRows } from '../encryption/encrypted-columns'
import type { EntityModel, Projection } from '../schema/entity-model'

type Row = Record<string, unknown>

/**
 * The rows of a statement over a projection, with encrypted values decrypted. Keys that are not in memory cost one
 * statement for all rows.
 * @param offset the place of the projection's first value in each row
 */
export function readableRows(
  context: SubgraphContext,
  model: EntityModel,
  projection: Projection,
  read: readonly (readonly unknown[])[],
  offset = 0,
): Row[] | Promise<Row[]> {
  const rows = read.map((values) => projection.toRow(values, offset))
  if (!projection.isEncrypted) return rows
  const send = (statement: Parameters<typeof context.db.rows>[1]) =>
    context.db.rows(context.binding, statement)
  return decryptRows(context, send, model, projection, rows)
}
