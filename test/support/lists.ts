import { insertRows, type DemoRow } from '../../database/demo/rows'
import { besidesSums, readTables } from '../../database/rows'
import type { TestClient, TestGraph } from './graph'

/** Inserts rows of a tenant past the graph, to prepare lists. */
export async function prepareRows(
  graph: TestGraph,
  tenantId: string,
  table: string,
  rows: readonly DemoRow[],
): Promise<void> {
  const tables = await readTables(graph.owner)
  await graph.owner.query('BEGIN')
  await graph.owner.query("SELECT set_config('app.tenant_id', $1, true)", [tenantId])
  const known = tables.find(({ name }) => name === table)!
  await besidesSums(graph.owner, known, () => insertRows(graph.owner, known, rows))
  await graph.owner.query('COMMIT')
}

interface Page {
  list: { nodes: Record<string, unknown>[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } }
}

/**
 * Reads a whole list forwards in small pages and returns its rows in the order in which they came.
 * @param field the root connection, such as `employees`
 * @param selection what to read of each row
 * @param args further arguments in GraphQL, such as `orderBy: { field: HIRE_DATE }`
 */
export async function readAll(
  client: TestClient,
  field: string,
  selection: string,
  args = '',
  first = 3,
): Promise<Record<string, unknown>[]> {
  const query = `query ($after: String) {
    list: ${field}(first: ${first}, after: $after ${args}) {
      nodes { ${selection} } pageInfo { hasNextPage endCursor }
    }
  }`
  const rows: Record<string, unknown>[] = []
  for (let after: string | null = null; ;) {
    const { list }: Page = await client.data<Page>(query, { after })
    rows.push(...list.nodes)
    if (!list.pageInfo.hasNextPage) return rows
    if (list.nodes.length === 0) throw new Error(`${field}: an empty page says that more rows follow`)
    after = list.pageInfo.endCursor
  }
}

/** The user errors of a mutation's payload, which must have changed nothing. */
export async function userErrors(
  client: TestClient,
  mutation: string,
  input: Record<string, unknown>,
): Promise<{ code: string; field: string[] | null; message: string }[]> {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`
  const query = `mutation ($input: ${type}) { payload: ${mutation}(input: $input) { userErrors { code field message } } }`
  const { payload } = await client.data<{
    payload: { userErrors: { code: string; field: string[] | null; message: string }[] }
  }>(query, { input })
  return payload.userErrors
}

/** Runs a mutation that must succeed and returns the named part of its payload. */
export async function change<T = Record<string, unknown>>(
  client: TestClient,
  mutation: string,
  input: Record<string, unknown>,
  selection: string,
): Promise<T> {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`
  const query = `mutation ($input: ${type}) { payload: ${mutation}(input: $input) { thing: ${selection} userErrors { code field message } } }`
  const { payload } = await client.data<{ payload: { thing: T; userErrors: unknown[] } }>(query, { input })
  if (payload.userErrors.length > 0) throw new Error(`${mutation}: ${JSON.stringify(payload.userErrors)}`)
  return payload.thing
}
