import { Client } from 'pg'
import { assertIsolated } from '../database/gate'
import { subgraphNames } from '../subgraphs/shared/names'
import type { SchemaVariant } from '../subgraphs/shared/subgraph-schema'
import type { Database } from '../subgraphs/shared/database'
import type { Config } from '../subgraphs/shared/config'
import type { Logger } from '../subgraphs/shared/log'
import { attackColumns } from './attacks/columns'
import { attackReferences } from './attacks/references'
import { askAll, fieldQuestions } from './attacks/reads'
import { openLab } from './lab'
import { attacker, stranger, withoutTriggers, type AttackedTenant } from './population'
import { copyOf, type Stage } from './stage'

/** What happened when one wall was taken away. */
export interface WallReport {
  wall: string
  /** Whether the other walls still kept every foreign row away. */
  stillHolds: boolean
  /** Whether that is what must happen: with two walls gone, rows must be seen, or the attack is blind. */
  mustHold: boolean
  /** Which parts of the proof noticed that the wall is gone. */
  noticedBy: string[]
}

interface Wall {
  name: string
  mustHold: boolean
  breach: {
    database?: (client: Client) => Promise<void>
    around?: (database: Database) => Database
    variant?: SchemaVariant
  }
}

/** Every table and partition under row level security. */
async function everyTable(client: Client): Promise<{ name: string }[]> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT polrelid::regclass::text AS name FROM pg_policy WHERE polname = 'tenant'",
  )
  return rows
}

const openPolicies = async (client: Client) => {
  for (const { name } of await everyTable(client)) {
    const text = `ALTER POLICY tenant ON ${name} USING (true) WITH CHECK (true)`
    await client.query(text)
  }
}
const dropForce = async (client: Client) => {
  for (const { name } of await everyTable(client)) {
    const text = `ALTER TABLE ${name} NO FORCE ROW LEVEL SECURITY`
    await client.query(text)
  }
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
]

/** Takes each wall away in a copy of the stage, attacks the copy, and says what held and what noticed. */
export async function testWalls(
  stage: Stage,
  twins: readonly AttackedTenant[],
  options: { config: Config; log: Logger },
): Promise<WallReport[]> {
  const reports: WallReport[] = []
  for (const wall of walls) {
    const copy = await copyOf(stage)
    try {
      reports.push(await testWall(wall, copy, twins, options))
    } finally {
      await copy.drop()
    }
  }
  return reports
}

async function testWall(
  { name, mustHold, breach }: Wall,
  stage: Stage,
  twins: readonly AttackedTenant[],
  options: { config: Config; log: Logger },
): Promise<WallReport> {
  const noticedBy = new Set<string>()
  if (breach.database) await withoutTriggers(stage, breach.database)
  const owner = new Client({ connectionString: stage.migratorUrl })
  await owner.connect()
  await assertIsolated(owner).catch(() => noticedBy.add('catalogue gate at start'))
  await owner.end()
  const unprotected = new Set<string>()
  const tables = new Set<string>()
  let isSignedIn = false
  const lab = await openLab(stage, twins, {
    ...options,
    variants: Object.fromEntries(subgraphNames.map((one) => [one, breach.variant ?? {}])),
    // Whoever cannot sign in does not get far enough to attack.
    around: (role, database) => {
      const watched = watch(database, () => tables, unprotected)
      const breached = role === 'gateway' ? undefined : breach.around?.(watched)
      const now = () => (isSignedIn && breached) || watched
      return {
        ...watched,
        rows: (...given) => now().rows(...given),
        transaction: (...given) => now().transaction(...given),
      }
    },
  })
  for (const model of lab.models.values()) if (model.tenantOwned) tables.add(model.table)
  try {
    const asker = await lab.as(attacker)
    await lab.as(attacker, 'viewer')
    isSignedIn = true
    const answers = await askAll(
      lab,
      asker,
      fieldQuestions(lab).filter(({ where }) => where.startsWith('Query.')),
    )
    await attackReferences(lab, [stranger])
    await attackColumns(lab, ['viewer'])
    const seen = await lab.witness.verdict()
    if (seen.length > 0) noticedBy.add('foreign rows in answers')
    if (lab.findings.some(({ attack }) => attack === 'foreign id'))
      noticedBy.add('foreign ids answered unlike unknown ones')
    if (lab.findings.some(({ attack }) => attack === 'inference'))
      noticedBy.add('restricted columns in answers')
    if (unprotected.size > 0) noticedBy.add('reads that do not name the tenant')
    if (answers.every((answer) => answer.includes('"extensions"')) || lab.witness.ownIds() === 0)
      noticedBy.add('not even own rows are answered')
    return { wall: name, mustHold, stillHolds: seen.length === 0, noticedBy: [...noticedBy] }
  } finally {
    await lab.close()
  }
}
