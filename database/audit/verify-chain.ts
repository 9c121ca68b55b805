import { genesis, linkText, sha256, type ChainEntry } from '../../kernel/sealing/chain'
import type { Checkpoint, Cut, CutRun } from '../../kernel/sealing/statements'

/** A sealed entry with what was noted of it. */
export interface SealedEntry {
  position: number
  hash: string
  entry: ChainEntry
}

/** Says what does not hold, at which position. */
export interface ChainFault {
  kind: 'CHANGED' | 'MISSING' | 'TWICE' | 'CUT' | 'CHECKPOINT' | 'STATEMENT'
  position: number
  message: string
}

export interface ChainReport {
  entries: number
  /** Entries that were cut with signed statements, by their number. */
  cut: number
  /** The last position, cut ones included; 0 for none. */
  end: number
  checkpoints: number
  /** The last position that somebody vouches for. */
  signedTo: number
  faults: ChainFault[]
}

/** Holds what is known of a chain besides its entries, outside of their table. */
export interface ChainStatements {
  checkpoints: readonly { line: string; checkpoint: Checkpoint }[]
  cuts: readonly Cut[]
}

const mostFaults = 100

/**
 * Walks a tenant's chain and says what does not hold: an entry that was changed, is missing, or stands twice; a chain that
 * is not the one that was signed, or ends before it.
 * @param entries in the order of positions
 */
export async function verifyChain(
  entries: AsyncIterable<SealedEntry>,
  { checkpoints, cuts }: ChainStatements,
): Promise<ChainReport> {
  const faults: ChainFault[] = []
  const fault = (kind: ChainFault['kind'], position: number, message: string) => {
    if (faults.length < mostFaults) faults.push({ kind, position, message })
  }
  const runs = new Map<number, CutRun>(cuts.flatMap((cut) => cut.runs.map((run) => [run.first, run])))
  const wanted = new Set(checkpoints.map(({ checkpoint }) => checkpoint.position))
  const hashes = new Map<number, string>()
  let count = 0
  let cut = 0
  let position = 0
  // Null behind a gap: what the next entry holds of the one before cannot be known.
  let hash: string | null = genesis

  /** Goes over what was cut, up to an entry (or as far as there are cuts). */
  function skip(until: number): void {
    for (let run = runs.get(position + 1); run && run.last < until; run = runs.get(position + 1)) {
      if (run.before !== null && hash !== null && run.before !== hash)
        fault('CHANGED', position, `entry ${position} is not the one before the entries that were cut`)
      cut += run.last - run.first + 1
      position = run.last
      hash = run.after
      if (wanted.has(position)) hashes.set(position, hash)
    }
  }

  for await (const sealed of entries) {
    count++
    if (sealed.position <= position) {
      fault('TWICE', sealed.position, `position ${sealed.position} is given twice`)
      continue
    }
    skip(sealed.position)
    if (sealed.position !== position + 1) {
      const last = sealed.position - 1
      const which = last === position + 1 ? `entry ${last} is` : `entries ${position + 1} to ${last} are`
      fault('MISSING', position + 1, `${which} missing`)
      hash = null
    }
    position = sealed.position
    if (hash !== null && sha256(linkText(hash, position, sealed.entry)) !== sealed.hash)
      fault('CHANGED', position, `entry ${position} (${sealed.entry.id}) was changed, or the one before it`)
    hash = sealed.hash
    if (wanted.has(position)) hashes.set(position, hash)
  }
  skip(Infinity)

  let signedTo = 0
  let previous: string | null = null
  for (const { line, checkpoint } of checkpoints) {
    const at = checkpoint.position
    if (checkpoint.previous !== previous)
      fault('STATEMENT', at, `a checkpoint before the one at ${at} is missing or was exchanged`)
    previous = sha256(line)
    const found = hashes.get(at)
    if (at > position) fault('CHECKPOINT', at, `entries ${position + 1} to ${at} are missing at the end`)
    else if (found !== undefined && found !== checkpoint.hash)
      fault('CHECKPOINT', at, `the chain up to ${at} is not the one that was signed on ${checkpoint.at}`)
    else if (found !== undefined) signedTo = at
  }
  return { entries: count, cut, end: position, checkpoints: checkpoints.length, signedTo, faults }
}
