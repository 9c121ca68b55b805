import { subgraph } from '../shared/subgraph'
import { Customer } from './entities/Customer'
import { customer } from './resolvers/Customer'

export default subgraph('insights', { entities: [Customer], resolvers: [customer] })
