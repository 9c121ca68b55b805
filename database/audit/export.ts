import { createWriteStream } from 'node:fs'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import type { BlobStore } from '../../kernel/blobs/blob-store'
import { projectRoot } from '../../kernel/process/project-root'
import { genesis, linkText, sha256 } from '../../kernel/sealing/chain'
import { signed, type AuditKeys, type Checkpoint } from '../../kernel/sealing/statements'
import { chainTenants, keptStatements, sealedEntries } from './tenant-chains'
import { readingClient } from './verify'

export interface ExportResult {
  entries: number
  /** The last position. */
  end: number
  checkpoints: number
}

/**
 * Writes a tenant's sealed trail for an auditor: its entries as the canonical texts that were hashed, one a line; what was
 * signed about them, and a checkpoint of this moment; the keys; and a program that verifies all of it with Node alone.
 * What does not hold is exported as it is.
 * @param folder is made, and must not be there yet
 */
export async function exportTenant(
  options: { migratorUrl: string; blobs: BlobStore; keys: AuditKeys; slug: string; now: Date },
  folder: string,
): Promise<ExportResult> {
  const { blobs, keys, slug, now } = options
  const client = await readingClient(options.migratorUrl)
  try {
    const [tenant] = await chainTenants(client, slug)
    const kept = await keptStatements(blobs, keys, tenant!.id)
    await mkdir(folder, { mode: 0o700 })
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const out = createWriteStream(join(folder, 'entries.jsonl'), { flags: 'wx', mode: 0o600 })
    const after = new Map(kept.cuts.flatMap(({ runs }) => runs.map((run) => [run.last, run.after])))
    let [hash, entries, position] = [genesis, 0, 0]
    for await (const sealed of sealedEntries(client, tenant!.id)) {
      if (sealed.position !== position + 1) hash = after.get(sealed.position - 1) ?? hash
      position = sealed.position
      if (!out.write(`${linkText(hash, position, sealed.entry)}\n`)) await once(out, 'drain')
      hash = sealed.hash
      entries++
    }
    out.end()
    await finished(out)
    if (position === 0) [position, hash] = lastOfCuts(kept.cuts)
    const lines = kept.checkpoints.map(({ line }) => line)
    if (keys.privateKey && position > 0)
      lines.push(
        signed<Checkpoint>(keys, {
          format: 'tenantgraph audit checkpoint 1',
          ...{ tenantId: tenant!.id, position, hash, at: now.toISOString() },
          previous: lines.length > 0 ? sha256(lines.at(-1)!) : null,
        }),
      )
    const put = (name: string, text: string) =>
      writeFile(join(folder, name), text, { flag: 'wx', mode: 0o600 })
    await put('checkpoints.jsonl', lines.join(''))
    await put('cuts.jsonl', kept.cutLines.join(''))
    const jwks = [...keys.publicKeys].map(([kid, key]) => ({ ...key.export({ format: 'jwk' }), kid }))
    await put('keys.json', `${JSON.stringify({ keys: jwks }, null, 2)}\n`)
    for (const name of ['verify-export.mjs', 'HOW-TO-VERIFY.md'])
      await copyFile(join(projectRoot, 'database', 'audit', 'export', name), join(folder, name))
    return { entries, end: position, checkpoints: lines.length }
  } finally {
    await client.end()
  }
}

function lastOfCuts(cuts: readonly { runs: readonly { last: number; after: string }[] }[]): [number, string] {
  const [last] = cuts.flatMap(({ runs }) => runs).sort((a, b) => b.last - a.last)
  return last ? [last.last, last.after] : [0, genesis]
}
