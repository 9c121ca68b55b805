import { subgraph } from '../shared/subgraph'
import { Department } from './entities/Department'
import { Employee } from './entities/Employee'
import { policies } from './policies'
import { department } from './resolvers/Department'
import { employee } from './resolvers/Employee'

export default subgraph('hr', {
  entities: [Department, Employee],
  resolvers: [department, employee],
  policies,
})
