import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isObjectType, type GraphQLField } from 'graphql'
import { getMetadataArgsStorage } from 'typeorm'
import { demoTenantIds, demoUserIds } from '../../database/demo/ids'
import { addMissingRows } from '../../database/rows'
import { readDeclarations } from '../../kernel/access/access'
import { typePolicies } from '../../kernel/access/row-rules'
import type { RequestContext } from '../../kernel/context'
import { uuidv7 } from '../../kernel/id'
import { projectRoot } from '../../kernel/process/config'
import type { RunningSubgraph } from '../../kernel/subgraph'
import { systemRoles } from '../../migrations/permissions'
import { subgraphs } from '../../subgraphs'
import { startGraph, type TestGraph } from '../support/graph'
import { entityColumns } from '../support/entity-columns'
import { inputValue, rowsOf, selectionOf, validDocument } from './operations'

/**
 * A7: who may read each field of each entity, and ask each root field, by system role. `fields-by-role.json` is written
 * by hand and read by people; here every field is asked as every role, and what comes back is held against it. "oneself"
 * are one's own account and employment; "everybody" are all who are signed in, without a role as well. `Holiday.*` says
 * it for all fields of a type that are not named.
 */
const file = join(projectRoot, 'test', 'fixtures', 'fields-by-role.json')
const written = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, string>>
const roles = [...systemRoles, 'NONE'] as const
type Role = (typeof roles)[number]
const allFields = (field: string) => field.replace(/\.\w+$/, '.*')

/** What the table says of fields; with what it says of none of them. */
function saidOf(fields: readonly string[], isListed: (name: string) => boolean): Record<string, string> {
  const said = fields.map(
    (field) => [field, written[field] ?? written[allFields(field)] ?? 'nothing'] as const,
  )
  const used = new Set([...fields, ...fields.filter((field) => !(field in written)).map(allFields)])
  const unused = Object.entries(written).filter(([name]) => isListed(name) && !used.has(name))
  return Object.fromEntries([...said, ...unused])
}
/** Types whose rows are about a user, and the column that names the user. */
const ofUsers: ReadonlyMap<string, string> = new Map([
  ['Employee', 'user_id'],
  ['Session', 'user_id'],
  ['ApiKey', 'owner_id'],
  ['MfaDevice', 'user_id'],
  ['Credential', 'user_id'],
  ['LeaveRequest', 'user_id'],
  ['LeaveLedgerEntry', 'user_id'],
  ['AttendanceRecord', 'user_id'],
  // Of the team that one leads, as of oneself.
  ['SalesPerformance', 'manager_id'],
  ['SalesPerformanceLine', 'manager_id'],
  ['OvertimeRecord', 'user_id'],
  ['RemoteWorkSession', 'user_id'],
])
/** Whose employment is in the demo data. */
const asking = demoUserIds.acme.hr

let graph: TestGraph
const scopesOf = new Map<Role, ReadonlySet<string>>()

beforeAll(async () => {
  graph = await startGraph({ demo: true })
  const { rows } = await graph.owner.query<{ name: Role; permissions: string[] }>(
    'SELECT name, permissions FROM identity.roles WHERE tenant_id = $1 AND is_system_role',
    [demoTenantIds.acme],
  )
  for (const { name, permissions } of rows) scopesOf.set(name, new Set(permissions))
  scopesOf.set('NONE', new Set())
  expect([...scopesOf.keys()].sort()).toEqual([...roles].sort())
  // What the demo data has none of.
  await graph.owner.query('BEGIN')
  await addMissingRows(graph.owner, { tenantId: demoTenantIds.acme, seed: 'acme', now: new Date() })
  // Browsers alone make them: one of the user's who asks, one of another's.
  await graph.owner.query(
    `INSERT INTO identity.credentials (tenant_id, id, user_id, label, issuer, subject, public_key)
     SELECT $1, u, u, 'Laptop', 'app.example', u, 'AAAA' FROM unnest($2::uuid[]) u`,
    [demoTenantIds.acme, [asking, demoUserIds.acme.admin]],
  )
  await graph.owner.query('COMMIT')
})
afterAll(() => graph?.close())

function contextOf(role: Role): RequestContext {
  const { clock } = graph
  return {
    requestId: 'fields by role',
    viewer: {
      tenantId: demoTenantIds.acme,
      userId: asking,
      sessionId: null,
      permissionVersion: 1,
      scopes: scopesOf.get(role)!,
    },
    clientIp: null,
    userAgent: null,
    clock,
    log: graph.server.services.log,
  }
}

/** A row of an entity in acme: the asking user's own, or another's. */
async function rowOf(type: string, own: boolean): Promise<string | null> {
  if (type === 'Tenant' || type === 'PlatformTenant') return demoTenantIds.acme
  if (type === 'User') return own ? asking : demoUserIds.acme.admin
  const entity = subgraphs.flatMap(({ entities }) => entities).find(({ name }) => name === type)
  const table = getMetadataArgsStorage().tables.find(({ target }) => target === entity)
  if (!entity || !table) return null
  const text = ofUsers.has(type)
    ? `${ofUsers.get(type)} IS ${own ? 'NOT ' : ''}DISTINCT FROM $1`.replace('IS NOT DISTINCT FROM', '=')
    : '$1::uuid IS NOT NULL'
  const isTenants = entityColumns(entity).has('tenantId')
  // Whoever decides about a request sees it as well.
  const isDecided = type === 'LeaveRequest' && !own ? ' AND approver_id IS DISTINCT FROM $1' : ''
  const { rows } = await graph.owner.query<{ id: string }>(
    `SELECT id FROM ${table.schema}.${table.name} WHERE ${text}${isDecided}${isTenants ? ` AND tenant_id = '${demoTenantIds.acme}'` : ''} LIMIT 1`,
    [asking],
  )
  return rows[0]?.id ?? null
}

function hasRowRule({ name }: RunningSubgraph, type: string): boolean {
  const { typeDefs } = subgraphs.find((one) => one.name === name)!
  return typePolicies(type, readDeclarations(typeDefs)).length > 0
}

/** The fields of an entity, as one subgraph has them, that are denied to a role. */
async function denied(
  subgraph: RunningSubgraph,
  type: string,
  fields: readonly GraphQLField<unknown, unknown>[],
  id: string,
  role: Role,
): Promise<Set<string>> {
  const selection = fields.map((field) => `${field.name}${rowsOf(field)} ${selectionOf(field.type, 0)}`)
  const document = validDocument(
    subgraph.schema,
    `query ($r: [_Any!]!) { _entities(representations: $r) { ... on ${type} { ${selection.join(' ')} } } }`,
  )
  const variables = { r: [{ __typename: type, id }] }
  const { data, errors = [] } = await subgraph.execute({ document, variables, context: contextOf(role) })
  const strange = errors.filter(({ extensions }) => extensions['code'] !== 'FORBIDDEN')
  expect({ type, role, strange }).toEqual({ type, role, strange: [] })
  if (errors.some(({ path }) => path?.length === 2)) return new Set(fields.map(({ name }) => name))
  const found = (data as { _entities: unknown[] })._entities[0] !== null
  // For whom the row rule of its type hides a row, there is none.
  if (!found && hasRowRule(subgraph, type)) return new Set(fields.map(({ name }) => name))
  expect({ type, found }).toEqual({ type, found: true })
  return new Set(errors.map(({ path }) => String(path![2])))
}

/** "everybody", or who it is by name. */
function inWords(allowed: (role: Role) => boolean, oneself: boolean): string {
  const names = roles.filter(allowed)
  if (names.length === roles.length) return 'everybody'
  return [...(oneself ? ['oneself'] : []), ...names].join(', ') || 'nobody'
}

async function fieldsOfEntities(): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const subgraph of graph.server.subgraphs.values()) {
    const union = subgraph.schema.getType('_Entity')
    for (const { name } of union ? subgraph.schema.getPossibleTypes(union as never) : []) {
      const type = subgraph.schema.getType(name)
      if (!isObjectType(type)) continue
      const isOwned = subgraphs.some(
        (one) => one.name === subgraph.name && one.entities.some((e) => e.name === name),
      )
      const fields = Object.values(type.getFields()).filter((field) => isOwned || field.name !== 'id')
      // A type that the subgraph only names, to refer to it.
      if (fields.length === 0) continue
      const id = await rowOf(name, false)
      expect({ name, hasRow: id !== null }).toEqual({ name, hasRow: true })
      const byRole = new Map<Role, Set<string>>()
      for (const role of roles) byRole.set(role, await denied(subgraph, name, fields, id!, role))
      const hasOwn = name === 'User' || ofUsers.has(name)
      const own = hasOwn ? await denied(subgraph, name, fields, (await rowOf(name, true))!, 'USER') : null
      for (const field of fields) {
        const oneself = own !== null && !own.has(field.name) && byRole.get('USER')!.has(field.name)
        found[`${name}.${field.name}`] = inWords((role) => !byRole.get(role)!.has(field.name), oneself)
      }
    }
  }
  return found
}

async function rootFields(): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const { schema, execute } of graph.server.subgraphs.values()) {
    for (const type of [schema.getQueryType(), schema.getMutationType()]) {
      for (const field of Object.values(type?.getFields() ?? {})) {
        if (field.name.startsWith('_')) continue
        const ids = () => `"${uuidv7()}"`
        const args = field.args.some(({ name }) => name === 'input')
          ? `(input: ${inputValue(field.args[0]!.type, 'input', ids)})`
          : rowsOf(field).replaceAll('""', ids())
        const document = validDocument(
          schema,
          `${type!.name.toLowerCase()} { ${field.name}${args} ${selectionOf(field.type, 0)} }`,
        )
        const allowed = new Set<Role>()
        for (const role of roles) {
          const { errors } = await execute({ document, context: contextOf(role) })
          if (!errors?.some(({ extensions }) => extensions['code'] === 'FORBIDDEN')) allowed.add(role)
        }
        found[`${type!.name}.${field.name}`] = inWords((role) => allowed.has(role), false)
      }
    }
  }
  return found
}

it('a sample that does not fit the schema is told with its document, not as a denial', () => {
  const { schema } = graph.server.subgraphs.get('hr')!
  const text = 'mutation { createHoliday(input: { name: "text", day: 7 }) { __typename } }'
  expect(() => validDocument(schema, text)).toThrow(/^A sample does not fit the schema:\n.*Date.*\nmutation/s)
  expect(validDocument(schema, text.replace('7', '"2026-01-15"')).kind).toBe('Document')
})

it('each field of each entity is read by whom the table says (A7)', async () => {
  const found = await fieldsOfEntities()
  expect(found).toEqual(saidOf(Object.keys(found), (name) => !/^(Query|Mutation)\./.test(name)))
})

it('each root field is asked by whom the table says (A7)', async () => {
  const found = await rootFields()
  const expected = Object.entries(written).filter(([name]) => /^(Query|Mutation)\./.test(name))
  expect(found).toEqual(Object.fromEntries(expected))
})

it('what is restricted and yet audited is in lists for those alone who may read it (A7)', () => {
  const lists = subgraphs.flatMap(({ audited, typeDefs }) => {
    const fields = [...readDeclarations(typeDefs).types.values()].flatMap((type) => [...type.fields.values()])
    return Object.entries(audited).flatMap(([entity, properties]) =>
      fields
        .filter(({ returns }) => returns === `${entity}Connection`)
        .flatMap(({ type, field }) =>
          properties
            .map((property) => `${entity}.${property}`)
            .filter((name) => name in written)
            .map((name) => [`${type}.${field}`, name] as const),
        ),
    )
  })
  expect(lists).toContainEqual(['Query.users', 'User.status'])
  for (const [list, field] of lists)
    expect([field, written[field]!.replace('oneself, ', '')]).toEqual([field, written[list]])
})

const isRoot = (name: string) => ['Query', 'Mutation', 'Subscription'].includes(name)

it('a stream asks for what the query asks for whose answers it shows (G7)', () => {
  const roots = subgraphs.flatMap(({ name, typeDefs }) => {
    const { types } = readDeclarations(typeDefs)
    const queries = types.get('Query')!.fields
    return [...(types.get('Subscription')?.fields.values() ?? [])].map(({ field, access }) => ({
      name: `${name} ${field}`,
      asks: access?.requirements,
      shown: queries.get(field.replace(/Changed$/, ''))?.access?.requirements,
    }))
  })
  const [changes, ...others] = roots.sort(
    (a, b) => Number(a.shown !== undefined) - Number(b.shown !== undefined),
  )
  expect(changes).toMatchObject({ name: 'tenancy changes', asks: [{ kind: 'scopes', anyOf: [[]] }] })
  expect(others.length).toBeGreaterThan(25)
  for (const { name, asks, shown } of others) expect({ name, asks }).toEqual({ name, asks: shown })
})

it('no other type has a field with a rule, which the table would not see, but what several people have together (A7)', () => {
  const ruled = subgraphs.flatMap(({ typeDefs }) =>
    [...readDeclarations(typeDefs).types.values()]
      .filter(({ name, keyFields }) => keyFields.size === 0 && !isRoot(name))
      .flatMap(({ name, fields }) =>
        [...fields.values()].flatMap(({ field, access }) => (access ? [`${name}.${field}`] : [])),
      ),
  )
  // What a summary tells of several rows only; who may is said by the mark, tried in test/hr/employee-summary.test.ts.
  const told = subgraphs.flatMap(({ summarized }) =>
    [...summarized].flatMap(([type, { measure }]) =>
      measure.filter(({ scopes }) => scopes).map(({ field }) => `${type}Group.${field.name.value}`),
    ),
  )
  // What is reckoned for one answer, whose field has the same scopes.
  const reckoned = ['CommissionSimulation.commission']
  expect(ruled.sort()).toEqual([...told, ...reckoned].sort())
  expect(ruled).toContain('EmployeeGroup.salary')
})
