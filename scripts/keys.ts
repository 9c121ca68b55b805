import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { prepareDatabase } from '../database'
import { destroyKeys, encryptRows, rotateKeys, type EncryptProgress } from '../database/encrypt-rows'
import { openDataKeys } from '../kernel/encryption/open-keys'
import { isUuid } from '../kernel/id'
import { ConfigError, loadConfig } from '../kernel/process/config'
import { createLogger } from '../kernel/process/log'
import { readEncryptedModels } from '../product/encrypted-models'

const usage = `Usage: npm run keys -- COMMAND

Keys of encrypted columns (docs/runbooks/encryption-keys.md). The product may run meanwhile.

  status                              keys by tenant and master key, and second factors of operators
  rotate                              a new key for every tenant, wrapped by the present master key; all rows encrypted anew
  encrypt                             rows that are in clear or under a former key; goes on where rotate was stopped
  destroy --tenant SLUG --user ID     destroys the keys of one user: what they encrypted is gone for good
  --help                              print this

The database is the configured one (DATABASE_URL), or else the embedded one, whether or not the server runs.`

/** Describes what the caller typed wrong. */
class UsageError extends Error {}

const statusText = `SELECT t.slug, k.master_key_id AS master,
    count(*) FILTER (WHERE k.subject_id = '00000000-0000-0000-0000-000000000000')::int AS own,
    count(*) FILTER (WHERE k.subject_id <> '00000000-0000-0000-0000-000000000000')::int AS people,
    count(*) FILTER (WHERE k.wrapped IS NULL)::int AS destroyed
  FROM shared.data_keys k JOIN tenancy.tenants t ON t.id = k.tenant_id GROUP BY 1, 2 ORDER BY 1, 2`

async function main(): Promise<void> {
  const text = { type: 'string' } as const
  const { values, positionals } = parseArgs({
    options: { tenant: text, user: text, help: { type: 'boolean' } },
    allowPositionals: true,
  })
  const [command, ...others] = positionals
  if (values.help) return console.log(usage)
  if (others.length > 0 || !['status', 'rotate', 'encrypt', 'destroy'].includes(command ?? ''))
    throw new UsageError(`Say what to do: ${positionals.join(' ') || 'nothing was said'}`)
  const config = loadConfig()
  const log = createLogger({ ...config, logLevel: 'warn' })
  const database = await prepareDatabase(config, log, { attach: true })
  const dataKeys = openDataKeys(config, (line) => console.log(line))
  const client = new Client({ connectionString: database.migratorUrl })
  await client.connect()
  try {
    if (command === 'status') return await printStatus(client)
    if (command === 'destroy') return await destroy(client, values.tenant, values.user)
    const models = await readEncryptedModels(database)
    const onProgress = ({ tenantId, table, done }: EncryptProgress) =>
      console.log(`${done} rows, now in ${table} of tenant ${tenantId}`)
    if (command === 'encrypt') {
      console.log(`encrypted ${await encryptRows(client, dataKeys, models, { onProgress })} rows`)
    } else {
      console.log('making new keys; rows follow after 65 s, when every process knows them')
      const { rewrapped, rows } = await rotateKeys(client, dataKeys, models, { onProgress })
      console.log(`wrapped ${rewrapped} keys anew, encrypted ${rows} rows`)
    }
  } finally {
    await client.end()
    dataKeys.close()
    await database.stop()
  }
}

async function printStatus(client: Client): Promise<void> {
  const { rows } = await client.query<
    Record<'slug' | 'master', string> & Record<'own' | 'people' | 'destroyed', number>
  >(statusText)
  for (const { slug, master, own, people, destroyed } of rows)
    console.log(
      `${slug}: ${own} keys of its own and ${people} of people under ${master}, ${destroyed} destroyed`,
    )
  const { rows: operators } = await client.query<{ master: string; count: number }>(
    `SELECT factor_key_id AS master, count(*)::int AS count FROM identity.operators
      WHERE factor_key_id IS NOT NULL GROUP BY 1 ORDER BY 1`,
  )
  for (const { master, count } of operators) console.log(`operators: ${count} second factors under ${master}`)
  if (rows.length + operators.length === 0) console.log('no keys yet')
}

async function destroy(client: Client, slug: string | undefined, user: string | undefined): Promise<void> {
  if (!slug || !user || !isUuid(user)) throw new UsageError('destroy needs --tenant SLUG and --user ID')
  const { rows } = await client.query<{ id: string }>('SELECT id FROM tenancy.tenants WHERE slug = $1', [
    slug,
  ])
  if (!rows[0]) throw new UsageError(`There is no tenant ${slug}`)
  console.log(`destroyed ${await destroyKeys(client, rows[0].id, user)} keys`)
}

main().catch((error: unknown) => {
  const foreseen = error instanceof UsageError || error instanceof ConfigError
  console.error(error instanceof Error ? error.message : String(error))
  if (error instanceof UsageError) console.error(`\n${usage}`)
  process.exitCode = foreseen ? 2 : 1
})
