import compliance from './compliance'
import finance from './finance'
import hr from './hr'
import identity from './identity'
import insights from './insights'
import type { SubgraphDefinition } from '../kernel/subgraph'
import tenancy from './tenancy'

/** The subgraphs of this product, in the order of `subgraphNames`. */
export const subgraphs: readonly SubgraphDefinition[] = [identity, tenancy, insights, compliance, hr, finance]
