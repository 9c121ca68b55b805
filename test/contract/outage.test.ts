import { Client } from 'pg'
import { assertFreeSpace } from '../../kernel/process/free-space'
import { startGraph, type TestGraph } from '../support/graph'

let graph: TestGraph
beforeAll(async () => {
  // Three connections for each role: a tenant may hold two of them.
  graph = await startGraph({ demo: true, env: { DATABASE_CONNECTIONS: '21' } })
}, 60_000)
afterAll(() => graph?.close())

const readiness = async (): Promise<[number, unknown]> => {
  const response = await fetch(graph.server.url.replace('/graphql', '/readyz'))
  return [response.status, await response.json()]
}

/** The readiness once it has this status: an answer counts for a second. */
const readinessOf = async (status: number): Promise<[number, unknown]> => {
  let answer = await readiness()
  while (answer[0] !== status) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    answer = await readiness()
  }
  return answer
}

test("L3: a tenant's waiting writes leave another tenant's reads alone", async () => {
  const acme = await graph.demo('acme', 'hr')
  const globex = await graph.demo('globex', 'hr')
  const { departments } = await acme.data<{ departments: { nodes: { id: string; version: number }[] } }>(
    '{ departments(first: 1) { nodes { id version } } }',
  )
  const [{ id, version }] = departments.nodes as [{ id: string; version: number }]
  const locking = new Client({ connectionString: graph.database.migratorUrl })
  await locking.connect()
  await locking.query('BEGIN')
  await locking.query('SELECT FROM hr.departments WHERE id = $1 FOR UPDATE', [id])
  const update = (description: string) =>
    acme.data<{ updateDepartment: { userErrors: { code: string }[] } }>(
      `mutation ($input: UpdateDepartmentInput!) { updateDepartment(input: $input) { userErrors { code } } }`,
      { input: { id, expectedVersion: version, description } },
    )
  let written = 0
  const writes = ['one', 'two', 'three', 'four'].map((text) => update(text).finally(() => (written += 1)))
  const waitingForLock = async () => {
    const { rows } = await graph.owner.query<{ count: string }>(
      `SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
       WHERE NOT l.granted AND a.datname = current_database()`,
    )
    return Number(rows[0]!.count)
  }
  while ((await waitingForLock()) < 2) await new Promise((resolve) => setTimeout(resolve, 10))
  const answers = await Promise.all([1, 2, 3].map(() => globex.data('{ departments { totalCount } }')))
  expect(answers).toEqual(Array(3).fill({ departments: { totalCount: expect.any(Number) as number } }))
  expect(written).toBe(0)
  expect(await waitingForLock()).toBe(2)
  await locking.query('COMMIT')
  await locking.end()
  const codes = (await Promise.all(writes)).map(
    ({ updateDepartment }) => updateDepartment.userErrors[0]?.code ?? 'written',
  )
  expect(codes.sort()).toEqual(['STALE_VERSION', 'STALE_VERSION', 'STALE_VERSION', 'written'])
})

test('O17: a full disk is no fault of the product: try again, nothing was changed, and readyz tells', async () => {
  expect(await readiness()).toEqual([
    200,
    expect.objectContaining({ checks: expect.objectContaining({ disk: 'ok' }) as object }),
  ])
  await graph.owner.query(`
    CREATE FUNCTION hr.no_room() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$`)
  await graph.owner.query(
    'CREATE TRIGGER no_room BEFORE INSERT ON hr.departments FOR EACH ROW EXECUTE FUNCTION hr.no_room()',
  )
  const acme = await graph.demo('acme', 'hr')
  const count = 'SELECT count(*) FROM hr.departments'
  const before = (await graph.owner.query(count)).rows
  const answer = await acme.query(
    'mutation { createDepartment(input: { name: "Archive" }) { department { id } } }',
  )
  expect(answer.errors).toEqual([
    {
      message: 'Part of the service does not answer. Try again.',
      path: ['createDepartment'],
      extensions: { code: 'SUBGRAPH_UNAVAILABLE', traceId: expect.any(String) as string },
    },
  ])
  expect((await graph.owner.query(count)).rows).toEqual(before)
  expect(await readinessOf(503)).toEqual([
    503,
    expect.objectContaining({ checks: expect.objectContaining({ disk: 'unavailable' }) as object }),
  ])
  await graph.owner.query('DROP TRIGGER no_room ON hr.departments; DROP FUNCTION hr.no_room()')
  expect(await acme.data('{ viewer { id } }')).toEqual({ viewer: { id: acme.userId } })
})

test('O17: a folder with less room than asked for is refused with what to do', async () => {
  await expect(assertFreeSpace(__dirname, 1)).resolves.toBeUndefined()
  await expect(assertFreeSpace(__dirname, Number.MAX_SAFE_INTEGER)).rejects.toThrow(
    / MiB left: make room, or writes will fail$/,
  )
})
