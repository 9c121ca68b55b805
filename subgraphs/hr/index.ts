import { subgraph } from '../../kernel/subgraph'
import { CalendarAssignment } from './entities/CalendarAssignment'
import { Department } from './entities/Department'
import { Employee } from './entities/Employee'
import { Holiday } from './entities/Holiday'
import { WorkCalendar } from './entities/WorkCalendar'
import { policies } from './policies'
import { department } from './resolvers/Department'
import { employee } from './resolvers/Employee'
import { holiday } from './resolvers/Holiday'
import { workCalendar } from './resolvers/WorkCalendar'

export default subgraph('hr', {
  entities: [Department, Employee, Holiday, WorkCalendar, CalendarAssignment],
  resolvers: [department, employee, holiday, workCalendar],
  policies,
})
