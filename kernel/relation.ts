import type { GraphQLResolveInfo } from 'graphql'
import type { SubgraphContext } from './context'
import { needs, type EntityClass } from './entity'
import type { EntityModel } from './schema/entity-model'
import { load } from './load'

type RelationResolver<E, K extends keyof E, R> = (
  row: Pick<E, K>,
  args: object,
  context: SubgraphContext,
  info: GraphQLResolveInfo,
) => R | null | Promise<R | null>

const relatedEntities = new WeakMap<object, EntityClass>()

/**
 * A field that shows the row of the same subgraph whose id a column holds; null when there is none, or none that the
 * viewer may see. It comes with the statement that reads its parents, or is looked up by id, for all of them at once.
 * @example department: one(Employee, 'departmentId', Department)
 */
export function one<E, K extends keyof E & string, R>(
  entity: EntityClass<E>,
  column: K,
  related: EntityClass<R>,
): RelationResolver<E, K, R> {
  const resolver: RelationResolver<E, K, R> = needs(entity, [column], (row, _args, context, info) => {
    const joined = (row as Record<string, unknown>)[info.fieldName]
    return joined === undefined
      ? load(context, related, row[column] as string | null, info)
      : (joined as R | null)
  })
  relatedEntities.set(resolver, related)
  return resolver
}

/**
 * Tells a model which of its fields show a row that can be read along with its own. Returns what is wrong with them.
 * @param resolverOf the resolver of a field as it was written, before guards wrap it
 */
export function bindRelations(
  model: EntityModel,
  models: ReadonlyMap<EntityClass, EntityModel>,
  resolverOf: (field: string) => unknown,
): string[] {
  return [...model.fields].flatMap(([field, [property]]) => {
    const resolver = resolverOf(field)
    const entity = typeof resolver === 'function' ? relatedEntities.get(resolver) : undefined
    if (!entity) return []
    const related = models.get(entity)
    const key = model.columns.get(property ?? '')
    if (!related || !key)
      return [`${model.name}.${field} relates to ${entity.name}, which is not an entity of this subgraph`]
    if (model.columns.has(field))
      return [`${model.name}.${field} is a column: a relation has a name of its own`]
    // Where ids name the month of their row, a look-up reads their months only; a join would read all of them.
    if (!related.instantKey) model.relations.set(field, { key, model: related })
    return []
  })
}
