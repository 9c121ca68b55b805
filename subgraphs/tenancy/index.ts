import { subgraph } from '../shared/subgraph'
import { Country } from './entities/Country'
import { Industry } from './entities/Industry'
import { Tenant } from './entities/Tenant'
import { country } from './resolvers/Country'
import { industry } from './resolvers/Industry'
import { ownTenant, tenant } from './resolvers/Tenant'

export default subgraph('tenancy', {
  entities: [Tenant, Country, Industry],
  resolvers: [tenant, country, industry],
  policies: { 'tenancy:own-tenant': ownTenant },
})
