import { subgraph } from '../../kernel/subgraph'
import { Department } from './entities/Department'
import { Employee } from './entities/Employee'
import { Holiday } from './entities/Holiday'
import { policies } from './policies'
import { department } from './resolvers/Department'
import { employee } from './resolvers/Employee'
import { holiday } from './resolvers/Holiday'

export default subgraph('hr', {
  entities: [Department, Employee, Holiday],
  resolvers: [department, employee, holiday],
  policies,
})
