import { subgraph } from '../shared/subgraph'
import { Tenant } from './entities/Tenant'
import { ownTenant, tenant } from './resolvers/Tenant'

export default subgraph('tenancy', {
  entities: [Tenant],
  resolvers: [tenant],
  policies: { 'tenancy:own-tenant': ownTenant },
})
