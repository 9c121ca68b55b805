import type { SubgraphContext } from '../context'
import { scopeConditions } from './scope'
import type { Projection } from '../schema/entity-model'
import type { Parameters } from '../statement'

/**
 * A statement over the rows of another, alias `page`, with the rows that the projection joins. Each of them passes the
 * conditions that every read of its entity carries; one that does not is no row.
 * @param order a join keeps no order: the one of the rows, said again
 */
export function joinedRows(
  context: SubgraphContext,
  { joins }: Projection,
  rows: string,
  parameters: Parameters,
  order = '',
): string {
  if (joins.length === 0) return rows
  const related = joins.map(({ key, model, projection }, place) => {
    const conditions = [...scopeConditions(context, model, parameters), `t."id" = page.${key.sql}`]
    const row = `SELECT ${projection.selectList} FROM ${model.table} t WHERE ${conditions.join(' AND ')}`
    return `LEFT JOIN LATERAL (${row}) joined${place} ON true`
  })
  const lists = ['page.*', ...joins.map((_, place) => `joined${place}.*`)]
  return `SELECT ${lists.join(', ')} FROM (${rows}) page ${related.join(' ')} ${order}`
}
