import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attackColumns } from '../../isolation/attacks/columns'
import { askAll, fieldQuestions } from '../../isolation/attacks/reads'
import { attackReferences } from '../../isolation/attacks/references'
import { openLab, type Lab } from '../../isolation/lab'
import { attacker, populate, stranger } from '../../isolation/population'
import { loadConfig, variableNames } from '../../subgraphs/shared/config'
import { createLogger } from '../../subgraphs/shared/log'
import { freshDatabase, type TestDatabase } from '../support/postgres'

/** What somebody might set to be rid of a guard. */
const values = [
  'off',
  'false',
  'none',
  'disabled',
  'no',
  '0',
  '-1',
  'true',
  'production',
  'development',
  'test',
  '*',
]
/** Where things are, which must be right for the product to start at all. */
const places =
  /^(DATABASE_URL|DATABASE_APP_SECRET|POSTGRES_|REDIS_URL|SUBGRAPHS|HOST|PORT|DATA_DIR|LOG_LEVEL|TOKEN_|DEMO_)/

let database: TestDatabase
let lab: Lab
let dataDir: string
const accepted: Record<string, string> = {}

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'graph-'))
  const base = { NODE_ENV: 'test', PORT: '0', DATA_DIR: dataDir, LOG_LEVEL: 'silent' }
  for (const name of variableNames.filter((one) => !places.test(one))) {
    for (const value of values) {
      try {
        loadConfig({ ...base, ...accepted, [name]: value })
        accepted[name] ??= value
      } catch {
        continue
      }
    }
  }
  database = await freshDatabase()
  const twins = await populate(database, 1)
  const config = loadConfig({ ...base, ...accepted })
  lab = await openLab(database, twins, { config, log: createLogger(config) })
}, 60_000)
afterAll(async () => {
  await lab?.close()
  await database.drop()
  rmSync(dataDir, { recursive: true, force: true })
})

it('no variable names a guard', () => {
  expect(
    variableNames.filter((name) =>
      /GUARD|SHIELD|RLS|AUTHORI|UNSAFE|INSECURE|DISABLE|SKIP|BYPASS|TRUST_(?!PROXY)/.test(name),
    ),
  ).toEqual([])
})

it('no limit can be set to nothing', () => {
  const limits = variableNames.filter((name) => /TIMEOUT|LIMIT|CONNECTIONS/.test(name))
  expect(limits.length).toBeGreaterThan(2)
  for (const name of limits)
    for (const value of ['0', '-1', 'off', 'none'])
      expect(() => loadConfig({ NODE_ENV: 'test', [name]: value })).toThrow(name)
})

it('with every variable set to what might switch a guard off, every guard stands', async () => {
  const asker = await lab.as(attacker)
  await askAll(
    lab,
    asker,
    fieldQuestions(lab).filter(({ where }) => where.startsWith('Query.')),
  )
  await attackReferences(lab, [stranger])
  await attackColumns(lab, ['viewer'])
  expect(await lab.witness.verdict()).toEqual([])
  expect(lab.witness.ownIds()).toBeGreaterThan(20)
  expect(lab.findings).toEqual([])
  const anonymous = await fetch(lab.server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ viewer { id } users { nodes { id } } }' }),
  })
  const answer = (await anonymous.json()) as {
    data: object | null
    errors: { extensions: { code: string } }[]
  }
  expect(JSON.stringify(answer.data)).not.toContain(':"')
  expect(answer.errors.map(({ extensions }) => extensions.code)).toContain('UNAUTHENTICATED')
}, 120_000)
