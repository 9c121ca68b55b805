import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { prepareDatabase } from '../database'
import { createMeter } from '../database/metering'
import { createTenant, createUser, TenantError } from '../database/tenants'
import { ConfigError, loadConfig } from '../kernel/process/config'
import { createLogger } from '../kernel/process/log'
import { hashPassword, oneTimePassword } from '../kernel/sign-in/password'

const usage = `Usage: npm run tenant -- create --slug SLUG --name NAME --admin EMAIL [--sandbox]
       npm run tenant -- meter --slug SLUG

create adds a tenant with its first administrator, and prints a password for the first sign-in. meter makes the account that
records the tenant's use, which nobody of the tenant may, and prints its key, good for a year; the former key ends.

  --slug    what people type to sign in: lower-case letters, digits and single hyphens
  --name    name of the organization
  --admin   e-mail address of the administrator
  --sandbox a tenant to try things in: it may be moved forward in time (moveClock), and stays one
  --help    print this

The database is the configured one (DATABASE_URL), or else the embedded one, whether or not the server runs.`

/** Describes what the caller typed wrong. */
class UsageError extends Error {}

interface NewTenant {
  verb: 'create'
  slug: string
  name: string
  admin: string
  sandbox: boolean
}

type Request = NewTenant | { verb: 'meter'; slug: string }

/** Reads the command line; null when it asks for help. */
function readRequest(args: string[]): Request | null {
  const text = { type: 'string' } as const
  const { values, positionals } = parsed(() =>
    parseArgs({
      args,
      options: {
        ...{ slug: text, name: text, admin: text },
        ...{ sandbox: { type: 'boolean' }, help: { type: 'boolean' } },
      },
      allowPositionals: true,
    }),
  )
  if (values.help) return null
  const [verb] = positionals
  if (positionals.length !== 1 || (verb !== 'create' && verb !== 'meter'))
    throw new UsageError(`Say what to do: create or meter. Got: ${positionals.join(' ') || 'nothing'}`)
  const { slug, name, admin, sandbox = false } = values
  if (verb === 'meter') {
    if (!slug) throw new UsageError('Missing: --slug')
    return { verb, slug }
  }
  const missing = Object.entries({ slug, name, admin }).flatMap(([option, value]) =>
    value ? [] : [`--${option}`],
  )
  if (!slug || !name || !admin) throw new UsageError(`Missing: ${missing.join(', ')}`)
  return { verb, slug, name, admin, sandbox }
}

function parsed<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** Does all of the work or nothing, as the owner of the tables. */
async function inTransaction<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } finally {
    await client.end() // an open transaction ends with it, undone
  }
}

/** Adds the tenant and its administrator. Returns the password for the first sign-in. */
async function create(url: string, { slug, name, admin, sandbox }: NewTenant): Promise<string> {
  const password = oneTimePassword()
  const passwordHash = await hashPassword(password)
  return inTransaction(url, async (client) => {
    const tenantId = await createTenant(client, { slug, name, isSandbox: sandbox })
    const user = { email: admin, passwordHash, passwordChangeRequired: true, roles: ['ADMIN'] } as const
    await createUser(client, tenantId, user)
    return password
  })
}

/** Makes the account that meters a tenant. Returns its key. */
async function meter(url: string, slug: string, isProduction: boolean): Promise<string> {
  return inTransaction(url, async (client) => {
    const { rows } = await client.query<{ id: string }>('SELECT id FROM tenancy.tenants WHERE slug = $1', [
      slug,
    ])
    if (!rows[0]) throw new TenantError(`There is no tenant with the slug "${slug}"`)
    const environment = isProduction ? 'live' : 'test'
    return createMeter(client, rows[0].id, { environment, now: new Date(), days: 365 })
  })
}

async function main(): Promise<void> {
  const request = readRequest(process.argv.slice(2))
  if (!request) return console.log(usage)
  const config = loadConfig()
  const database = await prepareDatabase(config, createLogger({ ...config, logLevel: 'warn' }), {
    attach: true,
  })
  try {
    console.log(`tenant         ${request.slug}`)
    if (request.verb === 'meter') {
      console.log(
        `key            ${await meter(database.migratorUrl, request.slug, config.nodeEnv === 'production')}`,
      )
      console.log('The key is shown this once. Send it as x-api-key with recordUsage and recordUsageBatch.')
      return
    }
    const password = await create(database.migratorUrl, request)
    console.log(`administrator  ${request.admin.toLowerCase()}`)
    console.log(`password       ${password}`)
    console.log('The password is shown this once. Sign in with it and call changePassword.')
  } finally {
    await database.stop()
  }
}

main().catch((error: unknown) => {
  const foreseen = error instanceof UsageError || error instanceof TenantError || error instanceof ConfigError
  console.error(error instanceof Error ? error.message : String(error))
  if (error instanceof UsageError) console.error(`\n${usage}`)
  process.exitCode = foreseen ? 2 : 1
})
