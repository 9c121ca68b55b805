import { subgraph } from '../shared/subgraph'
import { Transaction } from './entities/Transaction'
import { transaction } from './resolvers/Transaction'

export default subgraph('finance', { entities: [Transaction], resolvers: [transaction] })
