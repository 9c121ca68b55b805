/** Describes what PostgreSQL tells of a statement that violated a constraint. */
export interface PostgresError extends Error {
  code: string
  schema?: string
  table?: string
  column?: string
  constraint?: string
}

/** The names of what was violated; without a schema it is not known, and names may be those of shards. */
export type ViolationNames = Pick<PostgresError, 'schema' | 'table' | 'column' | 'constraint'>

/**
 * The names of what an error is about. A distributed PostgreSQL passes on what its nodes refuse without these fields:
 * then they are read from the text, which names everything but the schema.
 */
export function violationNames(error: PostgresError): ViolationNames {
  const { message, schema, table, column, constraint } = error
  if (schema ?? table ?? column ?? constraint) return { schema, table, column, constraint }
  const named = (kind: string) => new RegExp(`\\b${kind} "([^"]+)"`).exec(message)?.[1]
  return { constraint: named('constraint'), column: named('column'), table: named('(?:relation|table)') }
}

/** A name as the catalogue has it, if this is that of a shard: `departments_name_key_102816`. */
export const withoutShard = (name: string): string => name.replace(/_\d+$/, '')

/** Tells whether an error is the violation of this constraint, wherever the table's rows are. */
export function violates(error: unknown, constraint: string): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  const named = violationNames(error as PostgresError).constraint
  return named !== undefined && (named === constraint || withoutShard(named) === constraint)
}
