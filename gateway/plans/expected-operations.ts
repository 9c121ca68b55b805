import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Kind, parse, print, visit } from 'graphql'
import { z } from 'zod'
import type { Database } from '../../kernel/connection/database'

/** An operation that clients are known to send. */
export interface ExpectedOperation {
  /** The text as it is sent. */
  source: string
  /** SHA-256 of the text, hexadecimal: what Apollo Server knows it by. */
  hash: string
  /** The name it has in the text. */
  operationName: string | undefined
}

const manifest = z.object({ operations: z.array(z.object({ name: z.string(), body: z.string() })) })

/**
 * The operations of a manifest of persisted documents (format `apollo-persisted-query-manifest`); none when there
 * is no such file.
 * @throws Error when the file is no manifest
 */
export function operationsInManifest(file: string): ExpectedOperation[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  return manifest.parse(JSON.parse(text)).operations.map(({ name, body }) => expected(body, name))
}

/**
 * The operations that were recorded most often in the last days. Records hold no literals and no aliases, so those that
 * could have had a literal are left out: their plan would be another one.
 */
export async function recordedOperations(database: Database, most = 200): Promise<ExpectedOperation[]> {
  const rows = await database.rows(
    { tenantId: null },
    { name: 'gateway_expected_operations', text: recorded, values: [most] },
  )
  return rows.flatMap(([document, name]) => {
    const text = String(document)
    const exact = withoutLiterals(text)
    return exact === null ? [] : [expected(exact, String(name) || undefined)]
  })
}

const recorded = `SELECT o.document, o.name FROM gateway.operations o
JOIN (SELECT hash, sum(requests) AS requests FROM gateway.operation_days
      WHERE day > current_date - 7 GROUP BY hash ORDER BY 2 DESC LIMIT $1) AS days ON days.hash = o.hash
ORDER BY days.requests DESC`

function expected(source: string, operationName: string | undefined): ExpectedOperation {
  return { source, hash: createHash('sha256').update(source).digest('hex'), operationName }
}

/** The recorded document, printed; null when it has a value, or was cut off. */
function withoutLiterals(document: string): string | null {
  let has = false
  const found = () => void (has = true)
  try {
    const parsed = parse(document, { noLocation: true })
    visit(parsed, {
      [Kind.INT]: found,
      [Kind.FLOAT]: found,
      [Kind.STRING]: found,
      [Kind.LIST]: found,
      [Kind.OBJECT]: found,
    })
    return has ? null : print(parsed)
  } catch {
    return null
  }
}
