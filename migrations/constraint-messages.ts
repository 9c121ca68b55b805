import { sql, type Step } from './sql'

/**
 * Returns what a client is told when it violates a constraint, after the field's name: `salary must not be negative`.
 * It is kept beside the constraint, as its comment, so the two cannot part (read by kernel/writing/constraints.ts).
 * @param table schema.table
 * @param messages constraint name -> message
 */
export function constraintMessages(table: string, messages: Readonly<Record<string, string>>): Step {
  const statements = Object.entries(messages).map(
    ([name, message]) => `COMMENT ON CONSTRAINT ${name} ON ${table} IS '${message.replaceAll("'", "''")}'`,
  )
  return sql(statements, [])
}
