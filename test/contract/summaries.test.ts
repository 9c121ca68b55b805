import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { demoTenantIds, demoUserNames } from '../../database/demo/ids'
import { addMissingRows } from '../../database/rows'
import { projectRoot } from '../../kernel/process/config'
import { subgraphs } from '../../subgraphs'
import type { SentFilter, ShownRow } from '../support/expected-list'
import { expectedGroup, expectedGroups, type SummaryField } from '../support/expected-summary'
import { startGraph, type TestClient, type TestGraph } from '../support/graph'
import { rowSelection, summaries, summaryQuery, type SummaryCase } from '../support/summary-catalog'

interface ShownSummary {
  groups: ({ key: ShownRow; count: number } & ShownRow)[]
  total: { count: number } & ShownRow
  otherGroups: number
  timeZone: string
  complete: boolean
}

interface ListPage {
  nodes: ShownRow[]
  totalCount: number
  pageInfo: { hasNextPage: boolean; endCursor: string }
}

let graph: TestGraph
const clients = new Map<string, TestClient>()

beforeAll(async () => {
  graph = await startGraph({ demo: true })
  for (const name of demoUserNames) clients.set(name, await graph.demo('acme', name))
  await graph.owner.query('BEGIN')
  await addMissingRows(graph.owner, { tenantId: demoTenantIds.acme, seed: 'acme', now: new Date() })
  await graph.owner.query('COMMIT')
})
afterAll(() => graph?.close())

/** Numbers that look like chance and are the same each time. */
function chance(seed: string): (below: number) => number {
  let state = [...seed].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7)
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

async function allRows(
  client: TestClient,
  { list, ...rest }: SummaryCase,
  filter: SentFilter | null,
): Promise<{ rows: ShownRow[]; totalCount: number }> {
  const query = `query ($filter: ${list.node.name}Filter, $after: String) { list: ${list.name}(first: 100, after: $after, filter: $filter) {
    nodes { ${rowSelection({ list, ...rest })} } totalCount pageInfo { hasNextPage endCursor } } }`
  const rows: ShownRow[] = []
  for (let after: string | null = null; ;) {
    const answer: { list: ListPage } = await client.data(query, filter ? { filter, after } : { after })
    const page = answer.list
    rows.push(...page.nodes)
    if (!page.pageInfo.hasNextPage) return { rows, totalCount: page.totalCount }
    after = page.pageInfo.endCursor
  }
}

/** A filter out of what rows hold, often none. */
function someFilter(
  { list, dimensions }: SummaryCase,
  rows: readonly ShownRow[],
  pick: (below: number) => number,
): SentFilter | null {
  const usable = dimensions.filter(({ name, kind }) =>
    list.conditions.some((one) => one.name === (kind === 'reference' ? `${name}Id` : name)),
  )
  const conditionOf = ({ name, kind }: SummaryField): SentFilter => {
    const value = rows[pick(rows.length)]?.[name] ?? null
    if (kind === 'reference')
      return { [`${name}Id`]: value ? { notIn: [(value as { id: string }).id] } : { isNull: false } }
    if (value === null) return { [name]: { isNull: pick(2) === 0 } }
    if (kind === 'time') return { [name]: pick(2) === 0 ? { gte: value } : { lt: value } }
    return { [name]: [{ eq: value }, { notIn: [value] }, { in: [value] }][pick(3)] }
  }
  if (usable.length === 0 || rows.length === 0) return null
  const [one, other] = [conditionOf(usable[pick(usable.length)]!), conditionOf(usable[pick(usable.length)]!)]
  return [null, one, { not: one }, { or: [one, other] }, { and: [one, other] }][pick(5)]!
}

const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Pacific/Auckland']
const pers = ['MONTH', 'QUARTER', 'YEAR'] as const

const cases = summaries.flatMap((summary) =>
  demoUserNames.map((role) => [`${summary.name} for ${role}`, summary, role] as const),
)

describe('Q1 every summary tells what a fold over the fully paged list does', () => {
  it('was found for the lists of the product', () => {
    // Each type of the schema that has marks to be summarized by.
    const marked = subgraphs.flatMap(({ summarized }) => [...summarized.keys()])
    expect(summaries.map(({ list }) => list.node.name).sort()).toEqual(marked.sort())
    expect(summaries.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['budgetSummary', 'employeeSummary', 'transactionSummary']),
    )
  })

  it.each(cases)('%s: total and groups by any dimensions under any filter', async (title, summary, role) => {
    const client = clients.get(role)!
    const pick = chance(title)
    const denied = await client.query(`{ ${summary.list.name}(first: 1) { nodes { id } } }`)
    if (denied.errors) {
      const refused = await client.query(`{ summary: ${summary.name} { total { count } otherGroups } }`)
      expect(denied.errors[0]!.extensions.code).toBe('FORBIDDEN')
      expect(refused.data).toEqual({ summary: null })
      expect(refused.errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN'])
      return
    }
    const whole = await allRows(client, summary, null)
    for (let turn = 0; turn < 8; turn++) {
      const filter = turn === 0 ? null : someFilter(summary, whole.rows, pick)
      const { rows, totalCount } = filter ? await allRows(client, summary, filter) : whole
      const shuffled = [...summary.dimensions].sort(() => pick(3) - 1)
      const groupBy = shuffled
        .slice(0, turn === 1 ? 0 : 1 + pick(3))
        .filter(
          ({ kind }, place, all) => kind !== 'time' || all.findIndex((one) => one.kind === 'time') === place,
        )
      const [per, zone] = [pers[pick(3)]!, zones[pick(4)]!]
      const isTimed = groupBy.some(({ kind }) => kind === 'time')
      const asked = {
        ...(filter && { filter }),
        ...(isTimed && { per, timeZone: zone }),
        groupBy: groupBy.map(({ value }) => value),
        first: 1000,
        fresh: true,
      }
      const found = (await client.data<{ summary: ShownSummary }>(summaryQuery(summary), asked)).summary
      const { count, ...measures } = found.total
      expect({ asked, count, measures }).toEqual({
        asked,
        ...expectedGroup(rows, summary.measures),
        count: totalCount,
      })
      expect([found.complete, found.otherGroups, found.timeZone]).toEqual([true, 0, isTimed ? zone : 'UTC'])
      const shown = found.groups.map(({ key, count: members, ...told }) => {
        const keys = groupBy.map(({ name, kind }) =>
          kind === 'time'
            ? ((key[name] as { firstDay: string } | null)?.firstDay ?? null)
            : (key[name] ?? null),
        )
        return [JSON.stringify(keys), { count: members, measures: told }] as const
      })
      const expected = expectedGroups(rows, groupBy, summary.measures, per, zone)
      if (groupBy.length === 0 && rows.length === 0) expected.set('[]', expectedGroup([], summary.measures))
      expect(new Map(shown).size).toBe(shown.length)
      expect({ asked, groups: new Map([...shown].sort()) }).toEqual({
        asked,
        groups: new Map([...expected].sort()),
      })
    }
  })
})

it('runs the example of docs/summaries.md', async () => {
  const page = readFileSync(join(projectRoot, 'docs', 'summaries.md'), 'utf8')
  const examples = [...page.matchAll(/```graphql\n(.*?)```/gs)].map(([, text]) => text!)
  expect(examples).toHaveLength(1)
  const { transactionSummary } = await clients
    .get('admin')!
    .data<{ transactionSummary: ShownSummary }>(examples[0]!)
  expect(transactionSummary.groups.length).toBeGreaterThan(1)
})

it('Q1 sends one statement of its own, whatever is grouped, and none for ids', async () => {
  const admin = clients.get('admin')!
  await admin.data('{ viewer { id } }')
  for (const summary of summaries) {
    const dimensions = summary.dimensions
      .filter(({ kind }) => kind === 'value' || kind === 'time')
      .slice(0, 3)
    const times = dimensions.filter(({ kind }) => kind === 'time')
    const groupBy = dimensions.filter((one) => !times.slice(1).includes(one)).map(({ value }) => value)
    const asked = { groupBy, ...(times.length > 0 && { per: 'MONTH' }), fresh: true }
    const sent = await graph.statementsDuring(() => admin.data(summaryQuery(summary), asked))
    expect(sent.map(({ role }) => role)).toEqual([summary.list.subgraph])
  }
})

it('Q1 a stranger and nobody are told nothing of another tenant', async () => {
  const globex = await graph.demo('globex', 'admin')
  for (const summary of summaries) {
    const { list } = summary
    const query = `{ list: ${list.name} { totalCount } summary: ${summary.name}(fresh: true) { total { count } } }`
    const own = await globex.data<{ list: { totalCount: number }; summary: ShownSummary }>(query)
    expect(own.summary.total.count).toBe(own.list.totalCount)
    const nobody = await graph.anonymous.query(`{ summary: ${summary.name} { total { count } } }`)
    expect(nobody.errors?.map(({ extensions }) => extensions.code)).toEqual(['UNAUTHENTICATED'])
  }
})
