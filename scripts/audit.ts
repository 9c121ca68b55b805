import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { openServer, type DatabaseServer } from '../database'
import { dropMonth, keptYears } from '../database/audit/drop-month'
import { exportTenant } from '../database/audit/export'
import { verifyTenants, type TenantReport } from '../database/audit/verify'
import { openBlobs } from '../kernel/blobs/open-blobs'
import { systemClock } from '../kernel/clock'
import { openDatabase } from '../kernel/connection/database'
import { loadConfig, type Config } from '../kernel/process/config'
import { createLogger, type Logger } from '../kernel/process/log'
import { loadAuditKeys } from '../kernel/sealing/audit-keys'
import { sealDue } from '../kernel/sealing/seal-due'

const help = `Looks after the chain that makes changes of the audit trail evident (docs/runbooks/audit.md).

  npm run audit -- verify                              all tenants; ends with 1 when something does not hold
  npm run audit -- verify --tenant acme                one of them
  npm run audit -- seal                                gives positions to all entries without one, and signs
  npm run audit -- export --tenant acme --to FOLDER    for an auditor: entries, what was signed, and how to verify it
  npm run audit -- drop-month --month 2015-03          drops a month that ended ${keptYears} years ago, with a signed statement
  npm run audit -- keys                                thumbprints of the keys that sign, to tell an auditor

  --json    reports as JSON, one line for each tenant (verify)
  --help    print this

No product needs to run. The database is DATABASE_URL's, or the embedded one in DATA_DIR; what was signed is in S3_URL or in
DATA_DIR/blobs; the keys are AUDIT_PRIVATE_KEY and AUDIT_PUBLIC_KEYS, or DATA_DIR/keys/audit.json.`

/** Describes what the caller typed wrong. */
class UsageError extends Error {}

const options = {
  tenant: { type: 'string' },
  to: { type: 'string' },
  month: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

type Values = ReturnType<typeof parsed>['values']

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function needed(values: Values, name: 'tenant' | 'to' | 'month'): string {
  const value = values[name]
  if (!value) throw new UsageError(`Missing: --${name}`)
  return value
}

interface Place {
  config: Config
  log: Logger
  server: DatabaseServer
}

const commands: Readonly<Record<string, (values: Values, place: Place) => Promise<void>>> = {
  async verify({ tenant, json }, place) {
    const reports = await verifyTenants(
      { ...partsOf(place), ...(tenant !== undefined && { slug: tenant }) },
      (report) => console.log(json ? JSON.stringify(report) : described(report)),
    )
    if (reports.some(({ faults }) => faults.length > 0)) process.exitCode = 1
  },
  async seal(_, { config, log, server }) {
    const database = await openDatabase({
      url: server.urlFor('compliance'),
      entities: [],
      connections: 3,
      mode: config.databaseBinding,
      applicationName: 'tenantgraph audit',
    })
    try {
      const { keys, blobs } = partsOf({ config, log, server })
      const sealing = { database, blobs, keys, clock: systemClock, log }
      let [entries, checkpoints] = [0, 0]
      for (;;) {
        const done = await sealDue(sealing, undefined, { sign: true })
        entries += done.entries
        checkpoints += done.checkpoints
        if (done.entries === 0) break
      }
      console.log(`sealed ${entries} entries, signed ${checkpoints} checkpoints`)
    } finally {
      await database.close()
    }
  },
  async export(values, place) {
    const folder = resolve(needed(values, 'to'))
    const slug = needed(values, 'tenant')
    const { entries, end, checkpoints } = await exportTenant(
      { ...partsOf(place), slug, now: new Date() },
      folder,
    )
    console.log(`wrote ${folder}: ${entries} entries up to position ${end}, ${checkpoints} checkpoints`)
    console.log(`verify it with: node ${folder}/verify-export.mjs`)
  },
  async 'drop-month'(values, place) {
    const month = needed(values, 'month')
    const { entries, tenants } = await dropMonth({ ...partsOf(place), clock: systemClock }, month)
    console.log(`dropped ${month}: ${entries} entries of ${tenants} tenants`)
  },
  async keys(_, { config }) {
    for (const kid of loadAuditKeys(config).publicKeys.keys()) console.log(kid)
  },
}

function partsOf({ config, server }: Place) {
  return { migratorUrl: server.migratorUrl, blobs: openBlobs(config), keys: loadAuditKeys(config) }
}

function described({
  slug,
  entries,
  end,
  cut,
  unsealed,
  signedTo,
  checkpoints,
  faults,
}: TenantReport): string {
  const notes = [
    `${entries} entries up to position ${end}`,
    ...(cut > 0 ? [`${cut} dropped with signed statements`] : []),
    `${checkpoints} checkpoints up to ${signedTo}`,
    ...(unsealed > 0 ? [`${unsealed} not sealed yet`] : []),
  ]
  const verdict = faults.length === 0 ? 'holds' : 'DOES NOT HOLD'
  return [`${slug}: ${verdict}: ${notes.join(', ')}`, ...faults.map(({ message }) => `  ${message}`)].join(
    '\n',
  )
}

async function main(): Promise<void> {
  const { values, positionals } = parsed(process.argv.slice(2))
  if (values.help) return console.log(help)
  const [name = '', ...more] = positionals
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!command || more.length > 0)
    throw new UsageError(
      `Say what to do: ${Object.keys(commands).join(', ')}. Got: ${positionals.join(' ') || 'nothing'}`,
    )
  const config = loadConfig()
  const log = createLogger({ ...config, logLevel: 'warn' })
  const server = await openServer(config, log, { attach: true, change: false })
  try {
    await command(values, { config, log, server })
  } finally {
    await server.stop()
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error))
  if (error instanceof UsageError) console.error(`\n${help}`)
  process.exitCode = error instanceof UsageError ? 2 : 1
})
