import { join } from 'node:path'
import { hostname, userInfo } from 'node:os'
import { openServer, rolesScript, type DatabaseServer } from '../database'
import { rotateRolePasswords } from '../database/external'
import { migrateDown, migrateUp, migrationStates } from '../database/migrate'
import { writeMigration } from '../database/new-migration'
import { loadConfig, projectRoot } from '../kernel/process/config'
import { createLogger } from '../kernel/process/log'

const help = `Database migrations.

  npm run migrate                    apply every migration that was not applied yet
  npm run migrate:rollback           take the last one back
  npm run migrate:make NAME          write an empty migration, named by the time
  npm run migrate -- status          every migration and whether it was applied; changes nothing
  npm run migrate -- roles --print   the SQL that makes the roles, for a database administrator
  npm run migrate -- roles --rotate  give the roles the passwords that follow from DATABASE_APP_SECRET;
                                     stop what runs with the former secret first

The database is DATABASE_URL's, or the embedded one in DATA_DIR, also while the product runs.`

async function main(words: string[]): Promise<void> {
  // `npm run migrate -- status` arrives as `up status`.
  const [command, ...rest] = words[0] === 'up' && words.length > 1 ? words.slice(1) : words
  if (words.includes('--help') || words.includes('-h') || command === 'help') return console.log(help)
  if (command === 'up') return onServer(up)
  if (command === 'rollback' && rest.length === 0) return onServer(rollback)
  if (command === 'status' && rest.length === 0) return onServer(status, { change: false })
  if (command === 'make' && rest.length === 1) {
    const file = writeMigration(join(projectRoot, 'migrations'), rest[0]!)
    return console.log(`wrote migrations/${file}`)
  }
  if (command === 'roles' && rest.join() === '--print') return console.log(rolesScript(loadConfig()))
  if (command === 'roles' && rest.join() === '--rotate') return rotate()
  throw new Error(`Unknown: ${words.join(' ')}\n\n${help}`)
}

/** Changes the roles' passwords, and says in the log who did it and when. */
async function rotate(): Promise<void> {
  const config = loadConfig()
  const { databaseUrl } = config
  if (databaseUrl === null)
    throw new Error('Set DATABASE_URL: the embedded database gets its passwords at every start.')
  const roles = await rotateRolePasswords({ ...config, databaseUrl })
  const by = `${userInfo().username}@${hostname()}`
  const migrator = decodeURIComponent(new URL(databaseUrl).username)
  if (roles.length > 0)
    createLogger(config).warn({ roles, by, migrator }, 'passwords of database roles changed')
  console.log(
    roles.length > 0 ? roles.map((role) => `changed ${role}`).join('\n') : 'every password is right already',
  )
}

async function onServer(
  work: (server: DatabaseServer) => Promise<void>,
  options: { change?: boolean } = {},
): Promise<void> {
  const config = loadConfig()
  const server = await openServer(config, createLogger({ ...config, logLevel: 'warn' }), {
    attach: true,
    ...options,
  })
  try {
    await work(server)
  } finally {
    await server.stop()
  }
}

async function up(server: DatabaseServer): Promise<void> {
  const applied = await migrateUp(server.migratorUrl)
  console.log(applied.length > 0 ? applied.map((name) => `applied ${name}`).join('\n') : 'nothing to apply')
}

async function rollback(server: DatabaseServer): Promise<void> {
  const name = await migrateDown(server.migratorUrl)
  console.log(name ? `took back ${name}` : 'nothing to take back')
}

async function status(server: DatabaseServer): Promise<void> {
  for (const { name, applied } of await migrationStates(server.migratorUrl))
    console.log(`${applied ? 'applied' : 'pending'} ${name}`)
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message)
  process.exitCode = 1
})
