import { createHash } from 'node:crypto'
import type { Severity } from '../change'
import type { Contract } from '../composition/contracts'

/** One published version of a variant. Versions are only ever added. */
export interface Version {
  /** The line of versions it belongs to: what gateways follow. */
  variant: string
  /** 1, 2, 3 … within the variant. */
  version: number
  /** SHA-256 of the supergraph, hexadecimal. */
  supergraph: string
  /** ISO 8601 instant. */
  publishedAt: string
  author: string
  /** The commit it was built from; null when not known. */
  commit: string | null
  note: string | null
  /** The version whose supergraph this one brings back; null when it is a new one. */
  rollbackOf: number | null
  /** Tells whether the check passed; null when there was nothing to check against. */
  checkPassed: boolean | null
  changes: readonly {
    hash: string
    code: string
    severity: Severity
    coordinate: string
    message: string
    from?: string
    to?: string
  }[]
  contracts: readonly Contract[]
  /** {@link versionHash} of the version before, so that none can be changed or left out; null for the first. */
  previous: string | null
}

/** Describes where versions are kept: a folder of the repository, or PostgreSQL. */
export interface RegistryStore {
  /** Holds what messages call it. */
  label: string
  /** Oldest first; empty for a variant that was never published. */
  history(variant: string): Promise<Version[]>
  variants(): Promise<string[]>
  /** The text of a supergraph; null when it is not there. */
  supergraph(hash: string): Promise<string | null>
  /** @throws Fault when the version exists already: somebody else published meanwhile */
  append(version: Version, supergraph: string): Promise<void>
  close(): Promise<void>
}

export function contentHash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Identifies a version with everything it says and everything before it. */
export function versionHash(version: Version): string {
  return contentHash(canonical(version))
}

/** JSON with sorted keys: the same value is the same text. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item !== null && typeof item === 'object' && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  )
}
