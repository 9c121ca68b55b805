import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { prepareDatabase, type PreparedDatabase } from '../database'
import { makeTenantKeys } from '../database/encrypt-rows'
import { createMeter } from '../database/metering'
import { notePlatformAction } from '../database/platform-trail'
import {
  audit,
  changeTenantStatus,
  findTenant,
  listTenants,
  resetUserPassword,
} from '../database/tenant-commands'
import { createTenant, createUser, TenantError } from '../database/tenants'
import { openBlobs } from '../kernel/blobs/open-blobs'
import type { DataKeys } from '../kernel/encryption/data-keys'
import { openDataKeys } from '../kernel/encryption/open-keys'
import { mailSeal, type MailSeal } from '../kernel/mail/seal'
import { ConfigError, loadConfig, type Config } from '../kernel/process/config'
import { createLogger } from '../kernel/process/log'
import type { KeyEnvironment } from '../kernel/sign-in/api-key'
import { hashPassword, oneTimePassword } from '../kernel/sign-in/password'
import { loadTokenKeys } from '../kernel/sign-in/token-keys'
import { exportTenant } from '../product/tenant-export'

const usage = `Usage: npm run tenant -- create --slug SLUG --name NAME --admin EMAIL [--sandbox]
       npm run tenant -- list
       npm run tenant -- suspend --slug SLUG --reason TEXT
       npm run tenant -- reactivate --slug SLUG
       npm run tenant -- reset-password --slug SLUG --email EMAIL
       npm run tenant -- meter --slug SLUG
       npm run tenant -- export --slug SLUG --to FOLDER

Keeps the tenants of an installation, by whoever has the owner's database URL. Operators of the platform do most of it over the graph.

  create          adds a tenant with its first administrator, and prints a password for the first sign-in; makes the key of its
                  encrypted columns, so the process needs the server's ENCRYPTION_… settings
  list            shows the tenants: slug, status, plan, people who may sign in, name
  suspend         shuts a tenant: nobody is let in, and who is in is out within a minute; nothing is lost
  reactivate      opens a suspended tenant again
  reset-password  ends all sessions and API keys of somebody, and prints another password, which must be changed first; a second factor
                  stays. The owner of the account is told by mail, so the process needs the server's TOKEN_PRIVATE_KEY
  meter           makes the account that records the use of a tenant, which nobody there may; prints its key, and the former one ends

  export          writes all that the graph shows of a tenant into a new folder: rows as JSON, encrypted values in clear, and its files,
                  with a manifest of digests. The process needs the server's keys and its store of files

  --slug    what people type to sign in: lower-case letters, digits and single hyphens
  --name    name of the organization
  --admin   e-mail address of the administrator
  --sandbox a tenant to try things in: it may be moved forward in time (moveClock), and stays one
  --reason  why, 1 to 500 characters
  --email   whose password
  --to      the folder, which must not be there yet
  --help    print this

The database is the configured one (DATABASE_URL), or else the embedded one, whether or not the server runs. What is done stands in
the platform's trail and, but for list and create, in the tenant's.`

/** Describes what the caller typed wrong. */
class UsageError extends Error {}

const needed = {
  create: ['slug', 'name', 'admin'],
  list: [],
  suspend: ['slug', 'reason'],
  reactivate: ['slug'],
  'reset-password': ['slug', 'email'],
  meter: ['slug'],
  export: ['slug', 'to'],
} as const
type Verb = keyof typeof needed

interface Request {
  verb: Verb
  slug: string
  name: string
  admin: string
  reason: string
  email: string
  to: string
  sandbox: boolean
}

/** Reads the command line; null when it asks for help. */
function readRequest(args: string[]): Request | null {
  const text = { type: 'string' } as const
  const { values, positionals } = parsed(() =>
    parseArgs({
      args,
      options: {
        ...{ slug: text, name: text, admin: text, reason: text, email: text, to: text },
        ...{ sandbox: { type: 'boolean' }, help: { type: 'boolean' } },
      },
      allowPositionals: true,
    }),
  )
  if (values.help) return null
  const verbs = Object.keys(needed) as Verb[]
  const verb = verbs.find((one) => positionals.length === 1 && positionals[0] === one)
  if (!verb)
    throw new UsageError(`Say what to do: ${verbs.join(', ')}. Got: ${positionals.join(' ') || 'nothing'}`)
  const missing = needed[verb].filter((option) => !values[option]).map((option) => `--${option}`)
  if (missing.length > 0) throw new UsageError(`Missing: ${missing.join(', ')}`)
  const { slug = '', name = '', admin = '', reason = '', email = '', to = '', sandbox = false } = values
  return { verb, slug, name, admin, reason, email, to, sandbox }
}

function parsed<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** Does it, and returns what to print. */
async function perform(
  client: Client,
  request: Request,
  environment: KeyEnvironment,
  { seal, dataKeys }: { seal: () => MailSeal; dataKeys: () => DataKeys },
): Promise<string[]> {
  const { verb, slug, name, admin, reason, email, sandbox } = request
  if (verb === 'list')
    return (await listTenants(client)).map(
      (one) =>
        `${one.slug}  ${one.status}  ${one.plan}  ${one.activeUsers}  ${one.name}${one.deletionDueAt ? `  deleted at ${one.deletionDueAt.toISOString()}` : ''}`,
    )
  if (verb === 'suspend') {
    await changeTenantStatus(client, slug, 'suspend', reason)
    return [`${slug} is suspended. Who is in is out within a minute.`]
  }
  if (verb === 'reactivate') {
    await changeTenantStatus(client, slug, 'reactivate', null)
    return [`${slug} is active again.`]
  }
  if (verb === 'meter') {
    const key = await createMeter(client, slug, { environment, now: new Date(), days: 365 })
    const use =
      'The key is shown this once, and good for a year. Send it as x-api-key with recordUsage and recordUsageBatch.'
    return [`tenant         ${slug}`, `key            ${key}`, use]
  }
  const password = oneTimePassword()
  const passwordHash = await hashPassword(password)
  const printed = `password       ${password}`
  const once = 'The password is shown this once. Sign in with it and call changePassword.'
  if (verb === 'reset-password') {
    await resetUserPassword(client, { slug, email, passwordHash, seal: seal() })
    return [`tenant         ${slug}`, `user           ${email.toLowerCase()}`, printed, once]
  }
  const tenantId = await createTenant(client, { slug, name, isSandbox: sandbox })
  const user = { email: admin, passwordHash, passwordChangeRequired: true, roles: ['ADMIN'] } as const
  await createUser(client, tenantId, user)
  await makeTenantKeys(client, dataKeys())
  await notePlatformAction(client, 'CREATE_TENANT', tenantId, { slug, name, isSandbox: sandbox })
  return [`tenant         ${slug}`, `administrator  ${admin.toLowerCase()}`, printed, once]
}

/** Writes the export of a tenant, and notes it in both trails; what is told of the manifest proves which export it was. */
async function writeExport(
  client: Client,
  { slug, to }: Request,
  config: Config,
  database: PreparedDatabase,
): Promise<string[]> {
  const dataKeys = openDataKeys(config, (line) => console.log(line))
  const blobs = openBlobs(config)
  try {
    const exported = await exportTenant({ database, dataKeys, blobs, slug, now: new Date() }, to)
    const rows = exported.types.reduce((sum, one) => sum + one.rows, 0)
    // Afterwards: whoever writes in the tenant waits for its lock.
    const tenant = await findTenant(client, slug)
    const told = { rows, files: exported.files.length, manifest: exported.manifest }
    await audit(client, tenant.id, {
      ...{ action: 'VIEW', resourceType: 'Tenant', resourceId: tenant.id, changes: { after: told } },
    })
    await notePlatformAction(client, 'EXPORT_TENANT', tenant.id, told)
    return [
      `tenant    ${slug}`,
      `rows      ${rows} of ${exported.types.length} types`,
      `files     ${exported.files.length}`,
      `manifest  ${exported.manifest}`,
      `${to} holds everything in clear: hand it over, and remove it.`,
    ]
  } finally {
    await blobs.close()
    dataKeys.close()
  }
}

async function main(): Promise<void> {
  const request = readRequest(process.argv.slice(2))
  if (!request) return console.log(usage)
  const config = loadConfig()
  const log = createLogger({ ...config, logLevel: 'warn' })
  const database = await prepareDatabase(config, log, { attach: true })
  const client = new Client({ connectionString: database.migratorUrl })
  try {
    await client.connect()
    await client.query('BEGIN')
    const environment = config.nodeEnv === 'production' ? 'live' : 'test'
    const lines =
      request.verb === 'export'
        ? await writeExport(client, request, config, database)
        : await perform(client, request, environment, {
            seal: () => mailSeal(loadTokenKeys(config)),
            dataKeys: () => openDataKeys(config, (line) => console.log(line)),
          })
    await client.query('COMMIT')
    for (const line of lines) console.log(line)
  } finally {
    await client.end() // an open transaction ends with it, undone
    await database.stop()
  }
}

main().catch((error: unknown) => {
  const foreseen = error instanceof UsageError || error instanceof TenantError || error instanceof ConfigError
  console.error(error instanceof Error ? error.message : String(error))
  if (error instanceof UsageError) console.error(`\n${usage}`)
  process.exitCode = foreseen ? 2 : 1
})
