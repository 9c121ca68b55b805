/** The subgraphs of this product, in the order they are composed and started. */
export const subgraphNames = ['identity', 'tenancy', 'insights', 'compliance', 'hr', 'finance'] as const
export type SubgraphName = (typeof subgraphNames)[number]
