import { createHash, type Hash } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream, existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { Client } from 'pg'
import type { PreparedDatabase } from '../database'
import { TenantError } from '../database/tenants'
import type { BlobStore } from '../kernel/blobs/blob-store'
import { rowTypes } from '../kernel/connection/row-values'
import type { SubgraphContext } from '../kernel/context'
import type { DataKeys } from '../kernel/encryption/data-keys'
import { decryptRows } from '../kernel/encryption/encrypted-columns'
import { projectionOf } from '../kernel/reading/projection'
import type { EntityModel } from '../kernel/schema/entity-model'
import { givenOfTenant } from '../kernel/subjects/collectors'
import { readModels } from './encrypted-models'

/** Rows that one statement reads. */
const mostAtOnce = 500

/** One file of an export. */
interface ExportedFile {
  /** Its path in the folder. */
  path: string
  bytes: number
  sha256: string
}

/** Describes what an export holds: it stands in `manifest.json`, which the folder's other files are checked by. */
export interface TenantExport {
  format: 'tenantgraph tenant 1'
  tenant: { id: string; slug: string; name: string }
  /** The instant as of which all rows are told. */
  at: string
  /** The rows of each type of the graph, one JSON object in each line. */
  types: (ExportedFile & { subgraph: string; type: string; rows: number })[]
  /** Files of the tenant as they are kept. */
  files: ExportedFile[]
}

export interface ExportParts {
  database: Pick<PreparedDatabase, 'urlFor' | 'migratorUrl'>
  dataKeys: DataKeys
  blobs: BlobStore
  slug: string
  now: Date
}

/**
 * Writes all that the graph shows of a tenant, to whoever may see everything, into a folder: the rows of each type, with encrypted
 * values in clear, and the tenant's files. All rows are of one instant. What no field shows (passwords, keys, hashes) is left out.
 * @param folder is made, readable by its owner only, and must not be there yet
 * @returns what the manifest says, and its SHA-256
 * @throws TenantError when there is no such tenant, or the folder is there
 */
export async function exportTenant(
  parts: ExportParts,
  folder: string,
): Promise<TenantExport & { manifest: string }> {
  if (existsSync(folder)) throw new TenantError(`${folder} is there already: an export never overwrites one.`)
  const models = await readModels(parts.database)
  const client = new Client({ connectionString: parts.database.migratorUrl, types: rowTypes })
  await client.connect()
  try {
    for (const setting of ["SET timezone = 'UTC'", "SET datestyle = 'ISO, YMD'", 'SET statement_timeout = 0'])
      await client.query(setting)
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const { rows } = await client.query<TenantExport['tenant']>(
      "SELECT id, slug, name, set_config('app.tenant_id', id::text, true) AS bound FROM tenancy.tenants WHERE slug = $1",
      [parts.slug],
    )
    if (!rows[0]) throw new TenantError(`There is no tenant ${parts.slug}: see npm run tenant -- list`)
    const { id, slug, name } = rows[0]
    await mkdir(folder, { mode: 0o700 })
    const told: TenantExport = {
      format: 'tenantgraph tenant 1',
      tenant: { id, slug, name },
      at: parts.now.toISOString(),
      types: [],
      files: [],
    }
    for (const { subgraph, model } of models) {
      if (!model.tenantOwned && model.name !== 'Tenant') continue
      const path = `${subgraph}/${model.name}.jsonl`
      let count = 0
      const lines = async function* () {
        for await (const row of rowsOf(client, parts.dataKeys, model, id)) {
          count += 1
          yield Buffer.from(`${JSON.stringify(row)}\n`)
        }
      }
      const file = await writeChecked(folder, path, lines())
      told.types.push({ subgraph, type: model.name, rows: count, ...file })
    }
    const own = parts.blobs.of(id)
    for await (const key of own.list('')) {
      const found = await own.get(key)
      if (found) told.files.push(await writeChecked(folder, `files/${key}`, found.body))
    }
    const text = Buffer.from(`${JSON.stringify(told, null, 2)}\n`)
    const { sha256 } = await writeChecked(folder, 'manifest.json', Readable.from([text]))
    return { ...told, manifest: sha256 }
  } finally {
    await client.end()
  }
}

/** The rows of a type, by their ids, with what fields show of them. */
async function* rowsOf(
  client: Client,
  dataKeys: DataKeys,
  model: EntityModel,
  tenantId: string,
): AsyncGenerator<Record<string, unknown>> {
  const properties = givenOfTenant(model)
  const projection = projectionOf(model, properties)
  const text = `SELECT ${projection.selectList} FROM ${model.table} t
    WHERE ${model.tenantOwned ? 't.tenant_id' : 't.id'} = $1 AND ($2::uuid IS NULL OR t.id > $2) ORDER BY t.id LIMIT ${mostAtOnce}`
  const context = {
    services: { dataKeys },
    binding: { tenantId },
    log: console,
  } as unknown as SubgraphContext
  const send = async (statement: { text: string; values?: readonly unknown[] }) => {
    const { rows } = await client.query<unknown[]>({
      ...{ text: statement.text, values: [...(statement.values ?? [])], rowMode: 'array' },
    })
    return rows
  }
  for (let last: unknown = null; ;) {
    const found = (await send({ text, values: [tenantId, last] })).map((values) => projection.toRow(values))
    await decryptRows(context, send, model, projection, found)
    for (const row of found) {
      const fault = Object.values(row).find((value) => value instanceof Error)
      if (fault) throw fault as Error
      yield Object.fromEntries(properties.map((property) => [property, row[property]]))
    }
    if (found.length < mostAtOnce) return
    last = found.at(-1)!['id']
  }
}

/** Writes a file that is not there yet, and tells what it is. */
async function writeChecked(
  folder: string,
  path: string,
  source: AsyncIterable<Buffer>,
): Promise<ExportedFile> {
  const file = join(folder, path)
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const out = createWriteStream(file, { flags: 'wx', mode: 0o600 })
  const hash: Hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of source) {
    hash.update(chunk)
    bytes += chunk.length
    if (!out.write(chunk)) await once(out, 'drain')
  }
  out.end()
  await finished(out)
  return { path, bytes, sha256: hash.digest('hex') }
}
