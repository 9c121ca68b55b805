import type { Contract } from '../composition/contracts'
import { changeHash, type Change } from '../change'
import { Fault } from '../fault'
import { contentHash, versionHash, type RegistryStore, type Version } from './store'

/** Describes what a new version is made of. */
export interface Publication {
  variant: string
  supergraph: string
  author: string
  commit: string | null
  note: string | null
  checkPassed: boolean | null
  changes: readonly Change[]
  contracts: readonly Contract[]
  /** ISO 8601 instant. */
  at: string
}

/**
 * Adds a version. Publishing what is current already adds nothing.
 * @throws Fault when somebody published meanwhile, or the history was tampered with
 */
export async function publish(
  store: RegistryStore,
  publication: Publication,
): Promise<{ version: Version; added: boolean }> {
  const { variant, supergraph, at, changes, ...said } = publication
  const history = await verified(store, variant)
  const last = history.at(-1)
  const hash = contentHash(supergraph)
  if (last?.supergraph === hash) return { version: last, added: false }
  const version: Version = {
    ...said,
    variant,
    version: (last?.version ?? 0) + 1,
    supergraph: hash,
    publishedAt: at,
    rollbackOf: null,
    changes: changes.map(recorded),
    previous: last ? versionHash(last) : null,
  }
  await store.append(stored(version), supergraph)
  return { version: stored(version), added: true }
}

/**
 * Makes an earlier version the current one again, as a new version: nothing is taken out of the history.
 * @throws Fault when there is no such version, or it is current already
 */
export async function rollback(
  store: RegistryStore,
  variant: string,
  to: number,
  by: {
    author: string
    note: string | null
    commit: string | null
    at: string
    checkPassed: boolean
    changes: readonly Change[]
  },
): Promise<Version> {
  const history = await verified(store, variant)
  const target = history.find(({ version }) => version === to)
  const last = history.at(-1)
  if (!target || !last) throw new Fault(`${variant} has no version ${to}: see "schema history"`)
  if (target.supergraph === last.supergraph)
    throw new Fault(`Version ${to} of ${variant} is what is current already`)
  const supergraph = await store.supergraph(target.supergraph)
  if (supergraph === null) throw new Fault(`The supergraph of version ${to} is not in ${store.label}`)
  const version: Version = {
    variant,
    version: last.version + 1,
    supergraph: target.supergraph,
    publishedAt: by.at,
    author: by.author,
    commit: by.commit,
    note: by.note,
    rollbackOf: to,
    checkPassed: by.checkPassed,
    changes: by.changes.map(recorded),
    contracts: target.contracts,
    previous: versionHash(last),
  }
  await store.append(stored(version), supergraph)
  return stored(version)
}

/** The current version with its text; null when the variant was never published. */
export async function current(
  store: RegistryStore,
  variant: string,
): Promise<{ version: Version; supergraph: string } | null> {
  return find(store, variant, null)
}

/** A version with its text. @param number null: the last one. @throws Fault when the text is missing or was changed */
export async function find(
  store: RegistryStore,
  variant: string,
  number: number | null,
): Promise<{ version: Version; supergraph: string } | null> {
  const history = await store.history(variant)
  const version = number === null ? history.at(-1) : history.find((candidate) => candidate.version === number)
  if (!version) return null
  const supergraph = await store.supergraph(version.supergraph)
  if (supergraph === null)
    throw new Fault(`The supergraph of ${variant} version ${version.version} is not in ${store.label}`)
  if (contentHash(supergraph) !== version.supergraph) {
    throw new Fault(
      `The supergraph of ${variant} version ${version.version} in ${store.label} is not the one that was published`,
    )
  }
  return { version, supergraph }
}

/** The history of a variant. @throws Fault when a version was changed or left out */
export async function verified(store: RegistryStore, variant: string): Promise<Version[]> {
  const history = await store.history(variant)
  for (const [index, version] of history.entries()) {
    const before = history[index - 1]
    if (version.version === index + 1 && version.previous === (before ? versionHash(before) : null)) continue
    throw new Fault(
      `The history of ${variant} in ${store.label} was changed at version ${before?.version ?? index + 1}: restore it from a backup`,
    )
  }
  return history
}

/** Returns what the history keeps of a change. */
function recorded(change: Change): Version['changes'][number] {
  const { code, severity, coordinate, message, from, to } = change
  return { hash: changeHash(change), code, severity, coordinate, message, from, to }
}

/** As it comes back from any store: JSON knows no undefined. */
function stored(version: Version): Version {
  return JSON.parse(JSON.stringify(version)) as Version
}
