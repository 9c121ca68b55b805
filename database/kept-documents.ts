import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs'
import type { ClientBase } from 'pg'
import { notePlatformAction } from './platform-trail'

/** Describes what the caller can correct: its message says how. */
export class KeptDocumentsError extends Error {}

/** Rows of one FETCH. */
const page = 500

/**
 * Writes the documents of deleted tenants to a new file that its owner alone reads, the oldest first: a JSON object a line, with kind,
 * number, days, the former tenant, and the rows as they were.
 * @param client a connection as the owner (the migrator's URL), in a transaction
 * @param slug of one former tenant; null for all
 * @returns how many documents there are
 * @throws KeptDocumentsError where the file is there already or cannot be made
 */
export async function exportKeptDocuments(
  client: ClientBase,
  file: string,
  slug: string | null,
): Promise<number> {
  const target = opened(file)
  let count = 0
  try {
    await client.query(
      `DECLARE kept CURSOR FOR SELECT to_jsonb(d)::text AS line FROM tenancy.kept_documents d
        WHERE $1::text IS NULL OR d.tenant_slug = $1 ORDER BY d.issued_on, d.id`,
      [slug],
    )
    const fetch = `FETCH ${page} FROM kept`
    for (;;) {
      const { rows } = await client.query<{ line: string }>(fetch)
      if (rows.length === 0) break
      for (const { line } of rows) writeSync(target, `${line}\n`)
      count += rows.length
    }
    await notePlatformAction(client, 'EXPORT_DOCUMENTS', null, { slug, documents: count })
    return count
  } catch (error) {
    unlinkSync(file)
    throw error
  } finally {
    closeSync(target)
  }
}

function opened(file: string): number {
  try {
    return openSync(file, 'wx', 0o600)
  } catch (error) {
    throw new KeptDocumentsError(`${file} cannot be made: ${(error as Error).message}`)
  }
}
