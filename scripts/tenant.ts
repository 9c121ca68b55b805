import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { prepareDatabase } from '../database'
import { createTenant, createUser, TenantError } from '../database/tenants'
import { ConfigError, loadConfig } from '../kernel/process/config'
import { createLogger } from '../kernel/process/log'
import { hashPassword, oneTimePassword } from '../kernel/sign-in/password'

const usage = `Usage: npm run tenant -- create --slug SLUG --name NAME --admin EMAIL [--sandbox]

Adds a tenant with its first administrator, and prints a password for the first sign-in.

  --slug    what people type to sign in: lower-case letters, digits and single hyphens
  --name    name of the organization
  --admin   e-mail address of the administrator
  --sandbox a tenant to try things in: it may be moved forward in time (moveClock), and stays one
  --help    print this

The database is the configured one (DATABASE_URL), or else the embedded one, whether or not the server runs.`

/** Describes what the caller typed wrong. */
class UsageError extends Error {}

interface Request {
  slug: string
  name: string
  admin: string
  sandbox: boolean
}

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
  if (positionals.length !== 1 || positionals[0] !== 'create')
    throw new UsageError(`Say what to do: create. Got: ${positionals.join(' ') || 'nothing'}`)
  const { slug, name, admin, sandbox = false } = values
  const missing = Object.entries({ slug, name, admin }).flatMap(([option, value]) =>
    value ? [] : [`--${option}`],
  )
  if (!slug || !name || !admin) throw new UsageError(`Missing: ${missing.join(', ')}`)
  return { slug, name, admin, sandbox }
}

function parsed<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** Adds the tenant and its administrator, both or none. Returns the password for the first sign-in. */
async function create(url: string, { slug, name, admin, sandbox }: Request): Promise<string> {
  const password = oneTimePassword()
  const passwordHash = await hashPassword(password)
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('BEGIN')
    const tenantId = await createTenant(client, { slug, name, isSandbox: sandbox })
    const user = { email: admin, passwordHash, passwordChangeRequired: true, roles: ['ADMIN'] } as const
    await createUser(client, tenantId, user)
    await client.query('COMMIT')
    return password
  } finally {
    await client.end() // an open transaction ends with it, undone
  }
}

async function main(): Promise<void> {
  const request = readRequest(process.argv.slice(2))
  if (!request) return console.log(usage)
  const config = loadConfig()
  const database = await prepareDatabase(config, createLogger({ ...config, logLevel: 'warn' }), {
    attach: true,
  })
  try {
    const password = await create(database.migratorUrl, request)
    console.log(`tenant         ${request.slug}`)
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
