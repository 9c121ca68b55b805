import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../kernel/process/config'
import { startGraph } from '../support/graph'
import { freshDatabase } from '../support/postgres'
import { startSpread } from '../support/spread'

const overview = readFileSync(join(projectRoot, 'test', 'operations', 'overview.graphql'), 'utf8')

it('answers one question of six subgraphs alike in one process and over HTTP', async () => {
  const database = await freshDatabase()
  const whole = await startGraph({ database, demo: true })
  const roles: string[] = []
  const inProcess = await (await whole.demo('acme', 'admin')).data<Record<string, unknown>>(overview)
  await whole
    .statementsDuring(async () => (await whole.demo('acme', 'admin')).data(overview), { withSessions: true })
    .then((sent) => roles.push(...sent.map(({ role }) => role)))
  await whole.close()
  expect(new Set(roles)).toEqual(
    new Set(['gateway', 'identity', 'tenancy', 'insights', 'compliance', 'hr', 'finance']),
  )
  expect(Object.keys(inProcess)).toEqual([
    'viewer',
    'tenant',
    'customers',
    'complianceRecords',
    'transactions',
  ])

  const { graph: spread, close } = await startSpread(database, whole.server.services)
  try {
    expect(spread.server.subgraphs.size).toBe(0)
    expect(await (await spread.demo('acme', 'admin')).data(overview)).toEqual(inProcess)
  } finally {
    await close()
    await database.drop()
  }
})
