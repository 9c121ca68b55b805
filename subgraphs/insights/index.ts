import { subgraph } from '../../kernel/subgraph'
import { Customer } from './entities/Customer'
import { CustomerInteraction } from './entities/CustomerInteraction'
import { customer } from './resolvers/Customer'
import { customerInteraction } from './resolvers/CustomerInteraction'

export default subgraph('insights', {
  entities: [Customer, CustomerInteraction],
  resolvers: [customer, customerInteraction],
})
