import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'

/** The prepared statements of one connection, by their text. A name is never given twice. */
export interface StatementNames {
  /** The text's name, a new one when it has none; undefined when no more are given. */
  of(text: string): string | undefined
  /** Drops the text's name, so that its next use is parsed afresh. */
  forget(text: string): void
  /** The names dropped since the last call: the server still holds them, the caller closes them. */
  takeDropped(): string[]
}

/**
 * Keeps at most `limit` names. Where the caller can close statements the least recently used gives way (`closes`),
 * elsewhere no more than `limit` are ever given.
 */
export function statementNames(limit: number, closes: boolean): StatementNames {
  let given = 0
  let dropped: string[] = []
  const names = new LRUCache<string, string>({ max: limit, dispose: (name) => dropped.push(name) })
  return {
    of(text) {
      const known = names.get(text)
      if (known || (!closes && given >= limit)) return known
      // With the text's hash: a pooler that mixes sessions up runs no other statement under the name, it fails.
      const name = `s${++given}_${createHash('sha256').update(text).digest('base64url').slice(0, 22)}`
      names.set(text, name)
      return name
    },
    forget(text) {
      names.delete(text)
    },
    takeDropped() {
      const taken = dropped
      if (taken.length > 0) dropped = []
      return taken
    },
  }
}
