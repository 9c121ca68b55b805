import { fieldPolicy } from '../../kernel/policy'
import { Employee } from './entities/Employee'

/** The row rules that the schema names. */
export const policies = {
  /** One's own salary, or anybody's for those who look after salaries. */
  'hr:self-or-salary-reader': fieldPolicy(
    Employee,
    ['userId'],
    (viewer, employee) => employee.userId === viewer.userId || viewer.scopes.has('hr:salary:read'),
    { writers: ['hr:employee:link'] },
  ),
}
