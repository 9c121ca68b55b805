import { subgraph } from '../shared/subgraph'
import { Employee } from './entities/Employee'
import { employee } from './resolvers/Employee'

export default subgraph('hr', { entities: [Employee], resolvers: [employee] })
