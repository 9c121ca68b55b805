import { subgraph } from '../../kernel/subgraph'
import { Budget } from './entities/Budget'
import { Transaction } from './entities/Transaction'
import { budget } from './resolvers/Budget'
import { transaction } from './resolvers/Transaction'

export default subgraph('finance', { entities: [Budget, Transaction], resolvers: [budget, transaction] })
