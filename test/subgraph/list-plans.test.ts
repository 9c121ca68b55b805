import { uuidv7 } from '../../kernel/id'
import { startParts, type PartsGraph } from './parts'

/** The plan of a statement, as PostgreSQL tells it. */
interface PlanNode {
  'Node Type': string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  Plans?: PlanNode[]
}

let graph: PartsGraph

beforeAll(async () => {
  graph = await startParts()
  const other = uuidv7()
  await graph.owner.query('INSERT INTO tenancy.tenants (id, name, slug) VALUES ($1, $2, $2)', [
    other,
    'other',
  ])
  for (const tenant of [graph.tenantId, other])
    await graph.owner.query(
      `INSERT INTO hr.parts (tenant_id, id, name, code, size, made_at, price, price_currency)
       SELECT $1, gen_random_uuid(), CASE WHEN n % 10 > 0 THEN md5(n::text) END, md5('c' || n), CASE WHEN n % 3 > 0 THEN n % 5000 END,
              '2026-01-01'::timestamptz + n * interval '1 second', CASE WHEN n % 4 > 0 THEN n END, CASE WHEN n % 4 > 0 THEN 'EUR' END
         FROM generate_series(1, 50000) n`,
      [tenant],
    )
  await graph.owner.query('ANALYZE hr.parts')
})
afterAll(() => graph.close())

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)]

/** What PostgreSQL does for a list as the subgraph's role, under row level security. */
async function planOf(args: string): Promise<{ sorts: boolean; read: number; cursors: string[] }> {
  graph.sent.length = 0
  const { parts } = await graph.data<{ parts: { edges: { cursor: string }[] } }>(
    `{ parts(${args}) { edges { cursor } } }`,
  )
  const { text, values } = graph.sent[0]!
  const binding = { tenantId: graph.tenantId, actorId: null, requestId: 'r' }
  const [[plan]] = (await graph.db.rows(binding, {
    name: 'explain',
    text: `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`,
    values: [...values],
  })) as unknown as [[string | [{ Plan: PlanNode }]]]
  const [{ Plan }] = typeof plan === 'string' ? (JSON.parse(plan) as [{ Plan: PlanNode }]) : plan
  const nodes = nodesOf(Plan)
  const scans = nodes.filter((node) => node['Node Type'].includes('Scan') && !node.Plans?.length)
  return {
    sorts: nodes.some((node) => node['Node Type'] === 'Sort'),
    read: scans.reduce((sum, node) => sum + node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0), 0),
    cursors: parts.edges.map(({ cursor }) => cursor),
  }
}

describe.each(['CODE', 'NAME', 'SIZE', 'PRICE', 'MADE_AT'])('Q3 Q6 a page by %s of 100,000 rows', (field) => {
  it.each(['ASC', 'DESC'])(
    '%s reads a range of its index and sorts nothing, wherever it begins',
    async (direction) => {
      const order = `orderBy: { field: ${field}, direction: ${direction} }`
      const front = await planOf(`first: 20, ${order}`)
      const after = await planOf(`first: 20, after: "${front.cursors.at(-1)}", ${order}`)
      const end = await planOf(`last: 20, ${order}`)
      const before = await planOf(`last: 20, before: "${end.cursors[0]}", ${order}`)
      for (const { sorts, read } of [front, after, end, before]) {
        expect(sorts).toBe(false)
        expect(read).toBeLessThan(100)
      }
    },
  )
})

it('Q7 a page by two values sorts within equal first ones only', async () => {
  const { sorts, read } = await planOf(
    'first: 20, orderBy: [{ field: SIZE, direction: DESC }, { field: NAME }]',
  )
  expect(sorts).toBe(false)
  expect(read).toBeLessThan(200)
})
