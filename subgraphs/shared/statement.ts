import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Statement } from './database'

const names = new LRUCache<string, string>({ max: 5_000 })

/**
 * A statement that PostgreSQL prepares once per connection: its name is the hash of its text, so the same text
 * always has the same name and two texts never share one.
 */
export function named(text: string, values: readonly unknown[]): Statement {
  let name = names.get(text)
  if (!name) {
    name = 's_' + createHash('sha256').update(text).digest('base64url').slice(0, 22)
    names.set(text, name)
  }
  return { name, text, values }
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
