import { Client, type ClientBase } from 'pg'
import type { Config } from '../../kernel/process/config'
import type { PreparedDatabase } from '..'
import { readTables } from '../rows'
import { addSeller } from '../seller'
import { createTenant } from '../tenants'
import { demoSlugs, demoTenantIds, type DemoSlug } from './ids'
import { demoProfiles, demoSeller } from './profiles'
import { seededRandom } from './random'
import { insertRows } from './rows'
import { demoTables } from './tables'
import { createDemoUsers } from './users'

const day = 86_400_000

/**
 * Fills an empty database with the tenants acme and globex, their users and some hundreds of rows in every list. The
 * rows are the same on every machine; their times count back from the present day.
 * @param print gets a line for each step
 */
export async function loadDemoData(
  config: Pick<Config, 'demoPassword'>,
  database: Pick<PreparedDatabase, 'migratorUrl'>,
  print: (line: string) => void,
): Promise<void> {
  const client = new Client({ connectionString: database.migratorUrl })
  await client.connect()
  try {
    await client.query('BEGIN')
    await insertDemoData(client, { password: config.demoPassword, print })
    await client.query('COMMIT')
  } finally {
    await client.end()
  }
}

/**
 * The same inside the caller's transaction.
 * @param client a connection as the owner (the migrator's URL)
 * @param options.rounds bcrypt's cost; lower only in tests
 */
export async function insertDemoData(
  client: ClientBase,
  options: { password: string; rounds?: number; now?: Date; print?: (line: string) => void },
): Promise<void> {
  const { password, rounds, now = new Date(), print = () => undefined } = options
  const today = Math.floor(now.getTime() / day) * day
  await addSeller(client, demoSeller)
  for (const slug of demoSlugs) await insertTenant(client, slug)
  await createDemoUsers(client, password, rounds)
  const tables = new Map((await readTables(client)).map((table) => [table.name, table]))
  for (const slug of demoSlugs) {
    // Rows take their tenant from the setting, as they do in the product.
    await client.query("SELECT set_config('app.tenant_id', $1, true)", [demoTenantIds[slug]])
    const counts: string[] = []
    for (const { name, noun, rows } of demoTables) {
      const made = rows({ slug, profile: demoProfiles[slug], random: seededRandom(`${slug} ${name}`), today })
      await insertRows(client, tables.get(name)!, made)
      counts.push(`${made.length} ${noun}`)
    }
    print(`demo data of ${slug}: ${counts.join(', ')}`)
  }
}

async function insertTenant(client: ClientBase, slug: DemoSlug): Promise<void> {
  const profile = demoProfiles[slug]
  const { name, plan, billing } = profile
  const id = await createTenant(client, { id: demoTenantIds[slug], slug, name, plan })
  const values = {
    industry: profile.industry,
    size: profile.size,
    region: profile.region,
    compliance_level: profile.complianceLevel,
    settings: JSON.stringify(profile.settings),
    enabled_modules: profile.enabledModules,
    legal_name: name,
    billing_street: billing.street,
    billing_postal_code: billing.postalCode,
    billing_city: billing.city,
    billing_country: billing.country,
    vat_number: billing.vatNumber,
    billing_email: billing.email,
    default_currency: profile.currencies[0]!.code,
    time_zone: profile.settings['timeZone'],
    data_region: profile.dataRegion,
  }
  const columns = Object.keys(values).map((column, place) => `${column} = $${place + 2}`)
  const text = `UPDATE tenancy.tenants SET ${columns.join(', ')}, updated_at = now() WHERE id = $1`
  await client.query(text, [id, ...Object.values(values)])
}
