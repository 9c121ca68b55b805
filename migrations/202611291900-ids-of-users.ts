import { migration, sql } from './sql'

const columns = [
  ['hr.employees', 'former_user_ids'],
  ['hr.attendance_records', 'author_ids'],
] as const

const change = (type: string) =>
  columns.map(
    ([table, column]) =>
      `ALTER TABLE ${table} ALTER COLUMN ${column} DROP DEFAULT,
         ALTER COLUMN ${column} TYPE ${type} USING ${column}::${type}, ALTER COLUMN ${column} SET DEFAULT '{}'`,
  )

/** Users of whom lists tell are ids, not texts: a text that is none would stop whoever looks such a user up. */
export const idsOfUsers = migration(202611291900, 'ids-of-users', [sql(change('uuid[]'), change('text[]'))])
