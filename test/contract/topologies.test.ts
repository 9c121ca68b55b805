import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { subgraphs } from '../../subgraphs'
import { projectRoot } from '../../kernel/process/config'
import { openDatabase } from '../../kernel/connection/database'
import { startSubgraph } from '../../kernel/subgraph'
import { serveSubgraph } from '../../product/subgraph-server'
import { startGraph } from '../support/graph'
import { freshDatabase } from '../support/postgres'

const overview = readFileSync(join(projectRoot, 'test', 'operations', 'overview.graphql'), 'utf8')
const viewerSecret = 'a secret of the tests, long enough to be one'

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

  const { services } = whole.server
  const closing: (() => Promise<unknown>)[] = []
  const urls: string[] = []
  try {
    for (const definition of subgraphs) {
      const opened = await openDatabase({
        url: database.urlFor(definition.name),
        entities: [...definition.entities],
        connections: 2,
        applicationName: definition.name,
      })
      const running = await startSubgraph(definition, opened, services)
      const server = await serveSubgraph(running, {
        port: 0,
        host: '127.0.0.1',
        viewerSecret,
        log: services.log,
      })
      closing.unshift(
        () => server.close(),
        () => opened.close(),
      )
      urls.push(`${definition.name}=${server.url}`)
    }
    const tokens = { TOKEN_PRIVATE_KEY: JSON.stringify(services.keys.privateKey!.export({ format: 'jwk' })) }
    const spread = await startGraph({
      database,
      env: { SUBGRAPHS: urls.join(','), VIEWER_SECRET: viewerSecret, ...tokens },
    })
    closing.unshift(() => spread.close())
    expect(spread.server.subgraphs.size).toBe(0)
    expect(await (await spread.demo('acme', 'admin')).data(overview)).toEqual(inProcess)
  } finally {
    for (const close of closing) await close()
    await database.drop()
  }
})
