import type { Statement } from './connection/database'

/** A statement that PostgreSQL prepares once per connection, under a name that the connection chooses. */
export function prepared(text: string, values: readonly unknown[]): Statement {
  return { name: 'prepared', text, values }
}

/** Collects the parameters of a statement while its text is written. */
export class Parameters {
  readonly values: unknown[] = []

  /** Adds a value and returns its placeholder. */
  add(value: unknown): string {
    this.values.push(value)
    return `$${this.values.length}`
  }
}
