import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attackCaches } from '../../isolation/attacks/caches'
import { attackWithRaces, statementTimeoutMs } from '../../isolation/attacks/races'
import { askAll, attackIds } from '../../isolation/attacks/reads'
import { attackReferences } from '../../isolation/attacks/references'
import { openLab, type Lab } from '../../isolation/lab'
import { attacker, populate, stranger, type AttackedTenant } from '../../isolation/population'
import { fieldQuestions } from '../../isolation/questions'
import { stageConfig } from '../../isolation/stage'
import { createLogger } from '../../kernel/process/log'
import { subgraphNames } from '../../kernel/schema/subgraph-names'
import { freshDatabase, type TestDatabase } from '../support/postgres'
import { startBouncer, type Bouncer } from './bouncer'

/** The attack on the whole graph, whose subgraphs reach PostgreSQL through PgBouncer as docs/runbooks/database.md says. */
let database: TestDatabase
let bouncer: Bouncer
let twins: AttackedTenant[]
let lab: Lab
let dataDir: string

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'graph-'))
  database = await freshDatabase()
  twins = await populate(database, 2)
  bouncer = await startBouncer(subgraphNames.map((role) => database.urlFor(role)))
  const config = stageConfig(dataDir, {
    DATABASE_BINDING: 'unnamed',
    DATABASE_CONNECTIONS: '70',
    STATEMENT_TIMEOUT_MS: String(statementTimeoutMs),
  })
  const stage = {
    ...database,
    // The gateway's claim to be the only one is a session's, so it goes to the server itself.
    urlFor: (role: Parameters<typeof database.urlFor>[0]) =>
      role === 'gateway' ? database.urlFor(role) : bouncer.through(database.urlFor(role)),
  }
  // Tests run from the sources, which a planning thread cannot load.
  lab = await openLab(stage, twins, { config, log: createLogger(config), makePlans: 'here' })
}, 120_000)
afterAll(async () => {
  await lab?.close()
  await bouncer?.stop()
  await database?.drop()
  rmSync(dataDir, { recursive: true, force: true })
})

it('shows nothing of another tenant by root field, id, reference or cache', async () => {
  const questions = fieldQuestions(lab).filter(({ where }) => where.startsWith('Query.'))
  await askAll(lab, await lab.as(attacker), questions)
  // What is asked twice must be the same twice, the trail among it.
  await lab.unrecorded(() => attackIds(lab, [stranger]))
  await attackReferences(lab, [stranger, ...twins.slice(0, 1)])
  await lab.unrecorded(() => attackCaches(lab, stranger))
  expect(await lab.witness.verdict()).toEqual([])
  expect(lab.findings).toEqual([])
  expect(lab.witness.ownIds()).toBeGreaterThan(100)
}, 120_000)

it('answers 600 operations of four tenants at once, a tenth of which fail, with the rows of whoever asked', async () => {
  const report = await attackWithRaces(lab, [attacker, stranger, ...twins], 600)
  expect(report.operations).toBeGreaterThanOrEqual(600)
  expect(report.failed * 10).toBeGreaterThan(report.operations)
  expect(report.wrong).toBe(0)
  expect(await lab.witness.verdict()).toEqual([])
  expect(lab.findings).toEqual([])
  // Otherwise they did not come through PgBouncer, which has two connections for each role.
  const { rows } = await lab.client.query<{ role: string; connections: number }>(
    `SELECT usename AS role, count(*)::int AS connections FROM pg_stat_activity
      WHERE datname = current_database() AND usename = ANY ($1) GROUP BY 1`,
    [subgraphNames.map((name) => `app_${name}`)],
  )
  expect(rows.length).toBeGreaterThan(2)
  expect(rows.filter(({ connections }) => connections > 2)).toEqual([])
}, 120_000)
