import type { SubgraphContext } from '../../kernel/context'

/** The present day of the tenant, in UTC. */
export const todayOf = ({ clock }: Pick<SubgraphContext, 'clock'>): string =>
  clock.now().toISOString().slice(0, 10)
