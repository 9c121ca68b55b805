import { constraintMessages } from './constraint-messages'
import { addColumns, migration, sql } from './sql'

/** The manager of each employee. That the line ends somewhere is seen to by the mutation, under locks of the line's rows. */
export const managers = migration(202611282206, 'managers', [
  addColumns(
    'hr.employees',
    { manager_id: 'uuid' },
    { manager_id: { table: 'hr.employees', index: 'manager_id, created_at, id' } },
  ),
  sql(
    'ALTER TABLE hr.employees ADD CONSTRAINT employees_manager_id_check CHECK (manager_id <> id)',
    'ALTER TABLE hr.employees DROP CONSTRAINT employees_manager_id_check',
  ),
  constraintMessages('hr.employees', { employees_manager_id_check: 'must be somebody else' }),
])
