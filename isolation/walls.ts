import { join } from 'node:path'
import { Client } from 'pg'
import { assertIsolated } from '../database/isolation-check'
import { subgraphNames } from '../kernel/schema/subgraph-names'
import type { SchemaVariant } from '../kernel/schema/subgraph-schema'
import type { Database } from '../kernel/connection/database'
import type { Config } from '../kernel/process/config'
import type { Logger } from '../kernel/process/log'
import { attackCiphertexts } from './attacks/ciphertexts'
import { attackColumns } from './attacks/columns'
import { attackEvents, attackMails } from './attacks/events'
import { attackFiles } from './attacks/files'
import { attackOperators } from './attacks/operators'
import { attackStreams } from './attacks/streams'
import { attackReferences } from './attacks/references'
import { attackRights } from './attacks/rights'
import { askAll } from './attacks/reads'
import { folderBlobs } from '../kernel/blobs/folder-blobs'
import { DataKey } from '../kernel/encryption/cipher'
import { memoryEventLog } from '../kernel/events/event-log-memory'
import { mailSeal } from '../kernel/mail/seal'
import { openLab, type Lab } from './lab'
import { fieldQuestions } from './questions'
import { attacker, stranger, withoutTriggers, type AttackedTenant } from './population'
import { asSuperuser, type Stage } from './stage'

/** Describes what happened when one wall was taken away. */
export interface WallReport {
  wall: string
  /** Tells whether the other walls still kept every foreign row away. */
  stillHolds: boolean
  /** Tells whether that is what must happen: with two walls gone, rows must be seen, or the attack is blind. */
  mustHold: boolean
  /** Which parts of the proof noticed that the wall is gone. */
  noticedBy: string[]
}

interface Wall {
  name: string
  mustHold: boolean
  breach: {
    /** Changes the database, and says how to undo it. */
    database?: (client: Client) => Promise<readonly string[]>
    around?: (database: Database) => Database
    variant?: SchemaVariant
    /** Attacks what lies beside the graph while its wall is gone, and puts the wall back. */
    beside?: (lab: Lab) => Promise<void>
  }
}

/** Every table and partition under row level security, and its policy. */
async function everyTable(client: Client): Promise<{ name: string; using: string; check: string }[]> {
  const { rows } = await client.query<{ name: string; using: string; check: string }>(
    `SELECT polrelid::regclass::text AS name, pg_get_expr(polqual, polrelid) AS using,
            pg_get_expr(coalesce(polwithcheck, polqual), polrelid) AS check
       FROM pg_policy WHERE polname = 'tenant'`,
  )
  return rows
}

const openPolicies = async (client: Client) => {
  const tables = await everyTable(client)
  const alter = (name: string, using: string, check: string) =>
    `ALTER POLICY tenant ON ${name} USING (${using}) WITH CHECK (${check})`
  for (const { name } of tables) await client.query(alter(name, 'true', 'true'))
  return tables.map(({ name, using, check }) => alter(name, using, check))
}
const dropForce = async (client: Client) => {
  const tables = await everyTable(client)
  const alter = (name: string, force: string) => `ALTER TABLE ${name} ${force} ROW LEVEL SECURITY`
  for (const { name } of tables) await client.query(alter(name, 'NO FORCE'))
  return tables.map(({ name }) => alter(name, 'FORCE'))
}
const predicate = /t\."tenant_id" = (\$\d+)/g
/** Statements as they are, but for the condition on the tenant. */
const withoutPredicate = (database: Database): Database => ({
  ...database,
  rows: (binding, statement) =>
    database.rows(binding, {
      text: statement.text.replace(predicate, '$1::uuid IS NOT NULL'),
      values: statement.values,
    }),
})
const withoutBinding = (database: Database): Database => ({
  ...database,
  rows: (_binding, statement) => database.rows({ tenantId: null }, statement),
  transaction: (_binding, work, options) => database.transaction({ tenantId: null }, work, options),
})

/** Values are encrypted for no place, so that each opens wherever its key is. */
const valuesWithoutPlace = async (lab: Lab) => {
  const { encrypt, decrypt } = DataKey.prototype
  Object.assign(DataKey.prototype, {
    encrypt(this: DataKey, _place: string, plain: string) {
      return encrypt.call(this, '', plain)
    },
    decrypt(this: DataKey, _place: string, value: string) {
      return decrypt.call(this, '', value)
    },
  })
  await attackCiphertexts(lab, [stranger]).finally(() =>
    Object.assign(DataKey.prototype, { encrypt, decrypt }),
  )
}
/** Keys of files are not looked at: each is a path below the tenant's folder. */
const filesWithoutCheck = async (lab: Lab) => {
  const { services } = lab.server
  const { blobs } = services
  const raw = folderBlobs(join(services.config.dataDir, 'blobs'))
  const below =
    <T extends unknown[], R>(tenant: string, ask: (key: string, ...rest: T) => R) =>
    (key: string, ...rest: T) =>
      ask(`${tenant}/${key}`, ...rest)
  services.blobs = {
    ...raw,
    of: (tenant) => ({
      put: below(tenant, raw.put),
      get: below(tenant, raw.get),
      info: below(tenant, raw.info),
      delete: below(tenant, raw.delete),
      list: below(tenant, raw.list),
      downloadUrl: below(tenant, raw.downloadUrl),
    }),
  }
  await attackFiles(lab, [stranger]).finally(() => (services.blobs = blobs))
}
/** All events stand in one log. */
const oneEventLog = (lab: Lab) => {
  const { append, read } = memoryEventLog(lab.server.services.clock)
  return attackEvents(lab, [stranger], {
    append: (_tenant, events) => append('', events),
    read: (_tenant, after, most) => read('', after, most),
  })
}
/** Streams tell of what changed without asking the graph for it. */
const changesUnasked = async (lab: Lab) => {
  const { askForRow } = lab
  lab.askForRow = async ({ operation }, event, cursor) => {
    const row = new Proxy({}, { get: () => ({ id: event.aggregateId }) })
    return { result: { data: operation.changed(event, cursor, row) } }
  }
  await attackStreams(lab, [stranger]).finally(() => (lab.askForRow = askForRow))
}
/** Mails are sealed for no row. */
const mailsWithoutPlace = (lab: Lab) => {
  const seal = mailSeal(lab.server.services.keys)
  const nowhere = { tenantId: '', id: '' }
  return attackMails(lab, [stranger], {
    ...seal,
    close: (_place, mail) => seal.close(nowhere, mail),
    open: (_place, sealed) => seal.open(nowhere, sealed),
  })
}

/** Functions of the platform take whoever acts for an operator. */
const anybodyOperates = async (lab: Lab) => {
  const name = 'shared.require_operator(text)'
  const { rows } = await lab.client.query<{ text: string }>(
    'SELECT pg_get_functiondef($1::regprocedure) AS text',
    [name],
  )
  await asSuperuser(lab.stage, [
    `CREATE OR REPLACE FUNCTION shared.require_operator(scope text) RETURNS uuid LANGUAGE plpgsql STABLE SECURITY DEFINER
       SET search_path = pg_catalog, pg_temp
       AS $$ BEGIN RETURN nullif(current_setting('app.actor_id', true), '')::uuid; END $$`,
  ])
  await attackOperators(lab, [stranger]).finally(() => asSuperuser(lab.stage, [rows[0]!.text]))
}

/** A read of the kernel's form, which names the tenant unless its table is everybody's. */
const kernelRead = /^SELECT .* FROM ("\w+"\."\w+") t /s

/** Notes reads of tenants' tables that do not name the tenant: row level security alone would carry them. */
function watch(database: Database, tables: () => ReadonlySet<string>, unprotected: Set<string>): Database {
  return {
    ...database,
    rows: (binding, statement) => {
      const read = kernelRead.exec(statement.text)
      if (read && tables().has(read[1]!) && !statement.text.includes('t."tenant_id" = '))
        unprotected.add(read[1]!)
      return database.rows(binding, statement)
    },
  }
}

const walls: readonly Wall[] = [
  { name: 'row level security lets every row through', mustHold: true, breach: { database: openPolicies } },
  { name: 'row level security is not forced', mustHold: true, breach: { database: dropForce } },
  {
    name: 'the explicit condition on the tenant is gone',
    mustHold: true,
    breach: { around: withoutPredicate },
  },
  { name: 'connections are not bound to a tenant', mustHold: true, breach: { around: withoutBinding } },
  {
    name: 'the guards made from the schema are gone',
    mustHold: true,
    breach: { variant: { guard: (schema) => schema } },
  },
  {
    name: 'row level security and the explicit condition are both gone',
    mustHold: false,
    breach: { database: openPolicies, around: withoutPredicate },
  },
  {
    name: 'encrypted values are bound to no place',
    mustHold: false,
    breach: { beside: valuesWithoutPlace },
  },
  { name: 'keys of files are not checked', mustHold: false, breach: { beside: filesWithoutCheck } },
  { name: 'the log of events is one for all tenants', mustHold: false, breach: { beside: oneEventLog } },
  {
    name: 'streams tell of changes without asking for them',
    mustHold: false,
    breach: { beside: changesUnasked },
  },
  { name: 'sealed mails are bound to no row', mustHold: false, breach: { beside: mailsWithoutPlace } },
  { name: 'anybody acts as an operator', mustHold: false, breach: { beside: anybodyOperates } },
]

/** The product on a stage whose walls can be taken away while it runs, all but those of its schemas. */
interface Site {
  lab: Lab
  /** Takes the place of what subgraphs ask the database through. */
  around: Wall['breach']['around']
  /** Tables that were read without naming the tenant. */
  unprotected: Set<string>
}

/** Takes each wall away in turn, attacks, says what held and what noticed, and puts the wall back. */
export async function testWalls(
  stage: Stage,
  twins: readonly AttackedTenant[],
  options: { config: Config; log: Logger },
): Promise<WallReport[]> {
  const variants = new Set(walls.map(({ breach }) => breach.variant))
  const reports = new Map<Wall, WallReport>()
  for (const variant of variants) {
    const site = await openSite(stage, twins, { ...options, variant })
    try {
      for (const wall of walls.filter(({ breach }) => breach.variant === variant))
        reports.set(wall, await testWall(wall, site))
    } finally {
      await site.lab.close()
    }
  }
  return walls.map((wall) => reports.get(wall)!)
}

async function openSite(
  stage: Stage,
  twins: readonly AttackedTenant[],
  { variant = {}, ...options }: { config: Config; log: Logger; variant?: SchemaVariant },
): Promise<Site> {
  const tables = new Set<string>()
  const site: Omit<Site, 'lab'> = { around: undefined, unprotected: new Set() }
  const lab = await openLab(stage, twins, {
    ...options,
    variants: Object.fromEntries(subgraphNames.map((one) => [one, variant])),
    around: (role, database) => {
      const watched = watch(database, () => tables, site.unprotected)
      const now = () => (role !== 'gateway' && site.around?.(watched)) || watched
      return {
        ...watched,
        rows: (...given) => now().rows(...given),
        transaction: (...given) => now().transaction(...given),
      }
    },
  })
  for (const model of lab.models.values()) if (model.tenantOwned) tables.add(model.table)
  // With all walls in place: whoever cannot sign in does not get far enough to attack.
  for (const user of ['admin', 'viewer']) await lab.as(attacker, user)
  return Object.assign(site, { lab })
}

async function testWall(wall: Wall, site: Site): Promise<WallReport> {
  const { lab } = site
  lab.witness.forget()
  lab.findings.length = 0
  site.unprotected.clear()
  const { name, mustHold, breach } = wall
  if (!breach.beside) return testGraphWall(wall, site)
  await breach.beside(lab)
  const noticedBy = new Set(lab.findings.map(({ attack }) => `attack on what lies beside: ${attack}`))
  return { wall: name, mustHold, stillHolds: noticedBy.size === 0, noticedBy: [...noticedBy] }
}

async function testGraphWall({ name, mustHold, breach }: Wall, site: Site): Promise<WallReport> {
  const { lab, unprotected } = site
  const noticedBy = new Set<string>()
  const undo = (breach.database && (await withoutTriggers(lab.stage, breach.database))) ?? []
  site.around = breach.around
  try {
    await assertIsolated(lab.client).catch(() => noticedBy.add('catalogue gate at start'))
    const questions = fieldQuestions(lab).filter(({ where }) => where.startsWith('Query.'))
    // What is seen without a wall must not stand in the trail of whoever asks behind the next one.
    const answers = await lab.unrecorded(async () => askAll(lab, await lab.as(attacker), questions))
    await lab.unrecorded(() => attackReferences(lab, [stranger]))
    if (breach.database) await attackRights(lab, [stranger])
    // What viewers of one tenant may see is the guards' alone.
    if (breach.variant) await lab.unrecorded(() => attackColumns(lab, ['viewer']))
    const seen = await lab.witness.verdict()
    if (seen.length > 0) noticedBy.add('foreign rows in answers')
    if (lab.findings.some(({ attack }) => attack === 'foreign id'))
      noticedBy.add('foreign ids answered unlike unknown ones')
    if (lab.findings.some(({ attack }) => attack === 'right of a role'))
      noticedBy.add('foreign rows by the right of a role')
    if (lab.findings.some(({ attack }) => attack === 'inference'))
      noticedBy.add('restricted columns in answers')
    if (unprotected.size > 0) noticedBy.add('reads that do not name the tenant')
    if (answers.every((answer) => answer.includes('"extensions"')) || lab.witness.ownIds() === 0)
      noticedBy.add('not even own rows are answered')
    return { wall: name, mustHold, stillHolds: seen.length === 0, noticedBy: [...noticedBy] }
  } finally {
    site.around = undefined
    await asSuperuser(lab.stage, undo)
  }
}
