import type { GraphQLResolveInfo } from 'graphql'
import type { SubgraphContext } from './context'

/** A TypeORM entity class. */
export type EntityClass<E = unknown> = abstract new () => E

const neededColumns = new WeakMap<object, readonly string[]>()

/**
 * A field resolver that reads the given columns of its parent: the projection fetches them whenever the
 * field is selected, and the resolver's parent type has only these, so a forgotten one does not compile.
 * @example isEmployed: needs(Employee, ['terminationDate'], ({ terminationDate }) => terminationDate === null)
 */
export function needs<E, K extends keyof E & string, A, R>(
  _entity: EntityClass<E>,
  columns: readonly K[],
  resolve: (row: Pick<E, K>, args: A, context: SubgraphContext, info: GraphQLResolveInfo) => R,
): (row: Pick<E, K>, args: A, context: SubgraphContext, info: GraphQLResolveInfo) => R {
  const resolver = (row: Pick<E, K>, args: A, context: SubgraphContext, info: GraphQLResolveInfo) =>
    resolve(row, args, context, info)
  neededColumns.set(resolver, columns)
  return resolver
}

/** The columns that a resolver made by {@link needs} reads; undefined for any other function. */
export function columnsNeededBy(resolver: unknown): readonly string[] | undefined {
  return typeof resolver === 'function' ? neededColumns.get(resolver) : undefined
}
