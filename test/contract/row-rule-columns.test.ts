import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Supergraph } from '@apollo/federation-internals'
import { getNamedType, isObjectType } from 'graphql'
import { getMetadataArgsStorage } from 'typeorm'
import { readDeclarations } from '../../kernel/access/access'
import type { SubgraphContext, Viewer } from '../../kernel/context'
import type { EntityModel } from '../../kernel/schema/entity-model'
import type { Policy } from '../../kernel/policy'
import { policyNames } from '../../kernel/access/row-rules'
import { projectRoot } from '../../kernel/process/config'
import { requireRuleWriter } from '../../kernel/writing/rule-columns'
import { loadable } from '../../registry/composition/compose'
import { subgraphs } from '../../subgraphs'
import { entityColumns } from '../support/entity-columns'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, userErrors } from '../support/lists'
import { allScopes, userWith } from '../support/scopes'
import { inputValue } from './operations'

/**
 * A1: no mutation changes a column that a row rule looks at so that the rule then favours the viewer, unless the viewer
 * holds what the rule gives. Rules, their columns and the mutations come from the schema, so a new one is tried the day it
 * appears.
 */
const supergraph = readFileSync(join(projectRoot, 'schema', 'supergraph.graphql'), 'utf8')
const api = Supergraph.build(loadable(supergraph)).apiSchema().toGraphQLJSSchema()
const mutations = Object.values(api.getMutationType()!.getFields())

interface Rule {
  name: string
  policy: Policy
  entity: string
  table: string
  /** Property → column. */
  columns: ReadonlyMap<string, string>
}

/** Every row rule that stands on a type, or on a field of one, in the subgraph that has its rows. */
const rules: readonly Rule[] = subgraphs.flatMap(({ entities, policies, typeDefs }) => {
  const { types } = readDeclarations(typeDefs)
  return entities.flatMap((entity) => {
    const type = types.get(entity.name)
    const accesses = [type?.access, ...[...(type?.fields.values() ?? [])].map(({ access }) => access)]
    const named = new Set(accesses.flatMap((access) => policyNames(access?.requirements ?? [])))
    const table = getMetadataArgsStorage().tables.find(({ target }) => target === entity)!
    const columns = entityColumns(entity)
    return [...named].map((name) => ({
      name,
      policy: policies[name]!,
      entity: entity.name,
      table: `${table.schema}.${table.name}`,
      columns: new Map(policies[name]!.columns.map((property) => [property, columns.get(property)!])),
    }))
  })
})

let graph: TestGraph
let acme: TestTenant
let admin: TestClient
let count = 0

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  admin = await acme.as('ADMIN')
})
afterAll(() => graph?.close())

const hired = (values: Record<string, unknown> = {}) =>
  change<{ id: string; version: number; user: { id: string } | null }>(
    admin,
    'hireEmployee',
    { employeeNumber: `E-${++count}`, ...values },
    'employee { id version user { id } }',
  )

async function rowsOf({ table, columns }: Rule): Promise<Record<string, unknown>[]> {
  const list = [...columns].map(([property, column]) => `"${column}" AS "${property}"`)
  const { rows } = await graph.owner.query<Record<string, unknown>>(
    `SELECT ${[...list, 'id AS "rowId"'].join(', ')} FROM ${table} ORDER BY id`,
  )
  return rows
}

const viewerOf = (userId: string, scopes: readonly string[]): Viewer => ({
  tenantId: acme.id,
  userId,
  sessionId: null,
  permissionVersion: 1,
  scopes: new Set(scopes),
})

const setOnce = new Set(rules.filter(({ policy }) => policy.setOnce).map(({ name }) => name))

/** The rows that each rule opens for a viewer as a person, whatever the viewer may do. */
async function favours(userId: string): Promise<[string, unknown[]][]> {
  const found: [string, unknown[]][] = []
  for (const rule of rules) {
    const rows = (await rowsOf(rule)).filter((row) => rule.policy.allow(viewerOf(userId, []), row))
    found.push([rule.name, rows.map(({ rowId }) => rowId)])
  }
  return found
}

it('knows rules and columns (A1)', () => {
  expect(rules.map(({ name, table, columns }) => [name, table, ...columns])).toEqual(
    expect.arrayContaining([
      ['identity:self-or-user-reader', 'identity.users', ['id', 'id']],
      ['hr:self-or-salary-reader', 'hr.employees', ['userId', 'user_id']],
    ]),
  )
})

describe('every mutation (A1)', () => {
  let attacker: TestClient
  let victim: { id: string }

  beforeAll(async () => {
    const scopes = await allScopes(graph)
    victim = await hired()
    await change(
      admin,
      'setEmployeeSalary',
      { id: victim.id, expectedVersion: 1, salary: { amount: '77000', currency: 'EUR' } },
      'employee { id }',
    )
    // All permissions but those that a rule takes for the relation of a person to a row.
    const giving = new Set<string>()
    for (const { policy, ...rule } of rules) {
      const allows = (held: readonly string[], row: Record<string, unknown>) =>
        policy.allow(viewerOf('nobody', held), row)
      const closed = (await rowsOf({ policy, ...rule })).filter((row) => !allows([], row))
      for (const scope of scopes) if (closed.some((row) => allows([scope], row))) giving.add(scope)
    }
    expect([...giving].sort()).toEqual([
      'hr:leave:read',
      'hr:remote:read',
      'hr:salary:read',
      'identity:key:read',
      'identity:role:read',
      'identity:session:read',
      'identity:user:read',
    ])
    attacker = await userWith(
      graph,
      acme,
      scopes.filter((scope) => !giving.has(scope)),
    )
  })

  /** The attacker goes on with the session; none of them writes anything else. */
  const endsSession = new Set(['signOut', 'suspendUser'])
  it.each(mutations.map((field) => [field.name, field] as const))('%s', async (name, field) => {
    const input = field.args.find((argument) => argument.name === 'input')!
    const payload = getNamedType(field.type)
    const thing = isObjectType(payload) ? getNamedType(Object.values(payload.getFields())[0]!.type).name : ''
    const rule = rules.find(({ entity, columns }) => entity === thing && !columns.has('id'))
    const before = await favours(attacker.userId)
    const existing = new Set<unknown>()
    for (const one of rules) for (const { rowId } of await rowsOf(one)) existing.add(rowId)
    for (const version of [1, 2]) {
      // The victim's row where the mutation is about such rows; wherever a person is named, the attacker.
      const text = inputValue(input.type, 'input', (one) =>
        one === 'id' && rule ? `"${victim.id}"` : `"${attacker.userId}"`,
      ).replace('expectedVersion: 1', `expectedVersion: ${version}`)
      if (!endsSession.has(name)) await attacker.query(`mutation { ${name}(input: ${text}) { __typename } }`)
    }
    // A new row under a rule whose columns are set once shows nobody what was not its maker's to tell.
    const after = (await favours(attacker.userId)).map(([rule, found]) => [
      rule,
      setOnce.has(rule) ? found.filter((id) => existing.has(id)) : found,
    ])
    expect(after).toEqual(before)
  })

  it('and the attacker, still signed in, reads no salary', async () => {
    const { employees, viewer } = await attacker.data<{
      employees: { nodes: { id: string }[] }
      viewer: object
    }>('{ employees(first: 100) { nodes { id } } viewer { employee { salary { amount } } } }')
    const { rows } = await graph.owner.query<{ id: string }>(
      'SELECT id FROM hr.employees WHERE tenant_id = $1',
      [acme.id],
    )
    expect(rows.length).toBeLessThan(100)
    expect(employees.nodes.map(({ id }) => id).sort()).toEqual(rows.map(({ id }) => id).sort())
    expect(viewer).toEqual({ employee: null })
  })
})

it('no statement of a resolver writes what a rule looks at past the kernel (A1)', () => {
  const folder = join(projectRoot, 'subgraphs')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
  const writes = (text: string, table: string) =>
    [...text.matchAll(new RegExp(`(?:UPDATE|INSERT INTO) ${table.replace('.', '\\.')}\\b[^\`]*`, 'g'))].map(
      ([statement]) => statement,
    )
  const seen = new Set<string>()
  const found = files.flatMap((file) => {
    const text = readFileSync(join(folder, file), 'utf8')
    return rules.flatMap(({ table, columns, name, policy }) =>
      writes(text, table).flatMap((statement) => {
        seen.add(`${file} ${table}`)
        const assigned = statement.split(/\bWHERE\b/)[0]!
        const bent = [...columns.values()].filter((column) => new RegExp(`\\b${column} =`).test(assigned))
        const isMade = statement.startsWith('INSERT') && !policy.setOnce
        return bent.length > 0 || isMade ? [`${file}: ${name}: ${statement}`] : []
      }),
    )
  })
  expect([...seen].sort()).toEqual([
    'finance/commission/compute.ts finance.sales_performances',
    'hr/attendance/own-time.ts hr.attendance_records',
    'hr/attendance/own-time.ts hr.overtime_records',
    'hr/attendance/own-time.ts hr.remote_work_sessions',
    'hr/jobs/missing-clock-outs.ts hr.attendance_records',
    'hr/leave/own-leave.ts hr.leave_ledger_entries',
    'hr/leave/own-leave.ts hr.leave_requests',
    'hr/manager-line.ts hr.employees',
    'hr/overtime/look-again.ts hr.attendance_records',
    'hr/overtime/propose.ts hr.attendance_records',
    'hr/overtime/propose.ts hr.overtime_records',
    'hr/remote-work/end-session.ts hr.remote_work_sessions',
    'identity/authority.ts identity.users',
    'identity/passkeys/use.ts identity.credentials',
    'identity/personal.ts identity.users',
    'identity/resolvers/Permission.ts identity.users',
    'identity/resolvers/Role.ts identity.users',
    'identity/sessions/invitation.ts identity.users',
    'identity/sessions/proof.ts identity.sessions',
    'identity/sessions/proved-session.ts identity.users',
    'identity/sessions/revoke.ts identity.api_keys',
    'identity/sessions/revoke.ts identity.credentials',
    'identity/sessions/revoke.ts identity.sessions',
    'identity/sessions/second-factor.ts identity.mfa_devices',
    'identity/sessions/sign-in.ts identity.sessions',
    'identity/sessions/sign-in.ts identity.users',
    // The text of a message that is erased, and to which conversation one belongs.
    'insights/erasure.ts insights.ticket_messages',
    'insights/personal.ts insights.ticket_messages',
    'insights/resolvers/SupportTicket.ts insights.ticket_messages',
    'tenancy/jobs/billing.ts tenancy.tenants',
    'tenancy/subscription-term.ts tenancy.tenants',
  ])
  // What is derived, no choice of the writer: the login follows the employee's, whose writers a rule names, and so on.
  const isDerived = (place: string) => /^hr\/(?:leave\/own-leave|attendance\/own-time)\.ts: /.test(place)
  expect(found.filter((place) => !isDerived(place))).toEqual([])
})

describe('the link of an employee to a login (A1)', () => {
  const linked = async (id: string) =>
    (
      await graph.owner.query<{ user_id: string | null }>('SELECT user_id FROM hr.employees WHERE id = $1', [
        id,
      ])
    ).rows[0]!.user_id
  const writers = ['hr:employee:read', 'hr:employee:write']

  it.each([
    ['no right but to write employees', writers, 'You lack hr:employee:link'],
    [
      'the right to link, without that to read what the link shows',
      [...writers, 'hr:employee:link'],
      'userId gives more than you hold yourself: ask somebody who holds it',
    ],
  ])('is refused to %s, and leaves all as it was', async (_, scopes, message) => {
    const writer = await userWith(graph, acme, scopes)
    const { id } = await hired()
    const errors = [{ code: 'PERMISSION_NOT_HELD', field: ['userId'], message }]
    for (const userId of [writer.userId, admin.userId]) {
      const update = { id, expectedVersion: 1, userId, position: 'Director' }
      expect(await userErrors(writer, 'updateEmployee', update)).toEqual(errors)
      const hire = { employeeNumber: `N-${++count}`, userId }
      expect(await userErrors(writer, 'hireEmployee', hire)).toEqual(errors)
    }
    const { rows } = await graph.owner.query(
      'SELECT version, position, user_id FROM hr.employees WHERE id = $1',
      [id],
    )
    expect(rows).toEqual([{ version: 1, position: null, user_id: null }])
    expect(await userErrors(writer, 'updateEmployee', { id, expectedVersion: 1, firstName: 'Ada' })).toEqual(
      [],
    )
  })

  it('is made and taken away by who may, for others, and is audited', async () => {
    const hr = await acme.user('HR_MANAGER')
    const somebody = await acme.user('USER')
    const { id } = await hired()
    const update = (version: number, userId: string | null) =>
      userErrors(hr, 'updateEmployee', { id, expectedVersion: version, userId })
    expect(await update(1, somebody.userId)).toEqual([])
    expect(await linked(id)).toBe(somebody.userId)
    expect(await somebody.data('{ viewer { employee { id } } }')).toEqual({ viewer: { employee: { id } } })
    // The same value is no change, in whatever case.
    expect(await update(2, somebody.userId.toUpperCase())).toEqual([])
    expect(await update(2, (await acme.user('USER')).userId)).toMatchObject([
      { code: 'ALREADY_LINKED', field: ['userId'] },
    ])
    expect(await linked(id)).toBe(somebody.userId)
    expect(await update(2, null)).toEqual([])
    expect(await linked(id)).toBeNull()
    const { rows } = await graph.owner.query<{ before: string | null; after: string | null }>(
      `SELECT changes->'before'->>'userId' AS before, changes->'after'->>'userId' AS after FROM shared.audit_logs
        WHERE resource_id = $1 AND action = 'UPDATE' AND changes->'after' ? 'userId' ORDER BY id`,
      [id],
    )
    expect(rows).toEqual([
      { before: null, after: somebody.userId },
      { before: somebody.userId, after: null },
    ])
  })

  it('is nobody’s own to make or to take away, whatever they may do', async () => {
    const own = [{ code: 'OWN_RECORD', field: ['userId'] }]
    const hr = await acme.user('HR_MANAGER')
    const { id } = await hired()
    const link = (version: number, userId: string | null) => ({ id, expectedVersion: version, userId })
    expect(await userErrors(hr, 'updateEmployee', link(1, hr.userId))).toMatchObject(own)
    const hire = { employeeNumber: `N-${++count}`, userId: hr.userId }
    expect(await userErrors(hr, 'hireEmployee', hire)).toMatchObject(own)
    expect(await linked(id)).toBeNull()
    expect(await userErrors(admin, 'updateEmployee', link(1, hr.userId))).toEqual([])
    expect(await userErrors(hr, 'updateEmployee', link(2, null))).toMatchObject(own)
    expect(await linked(id)).toBe(hr.userId)
  })
})

describe('what the kernel does with a rule that names no writers (A1)', () => {
  const policy: Policy = { columns: ['ownerId'], allow: (viewer, row) => row['ownerId'] === viewer.userId }
  const model = {
    name: 'Note',
    ruled: new Map([['ownerId', new Map([['notes:own', policy]])]]),
    fields: new Map(),
  } as unknown as EntityModel
  const context = { viewer: { userId: 'somebody', scopes: new Set() } } as unknown as SubgraphContext
  const write = (before: object | null, after: object) => () =>
    requireRuleWriter(context, model, before as never, after as never, ['ownerId', 'text'])

  it('refuses to write its columns, and lets others be written', () => {
    expect(write(null, { ownerId: 'other' })).toThrow(
      /^Note.ownerId decides policy notes:own: name the scopes/,
    )
    expect(write({ ownerId: 'one' }, { ownerId: 'two' })).toThrow(/name the scopes/)
    expect(write({ ownerId: 'one', text: 'a' }, { ownerId: 'one', text: 'b' })).not.toThrow()
    expect(write(null, { ownerId: null, text: 'b' })).not.toThrow()
  })

  it('lets nobody open to everybody, themselves among them, a row that was closed to them', () => {
    const open = (rule: Partial<Policy>) => {
      const isPublic: Policy = {
        columns: ['visibility'],
        allow: (viewer, row) => viewer.scopes.has('notes') || row['visibility'] === 'PUBLIC',
        ...rule,
      }
      const note = { ...model, ruled: new Map([['visibility', new Map([['notes:public', isPublic]])]]) }
      const viewer = { userId: 'somebody', scopes: new Set(['write']) }
      const [closed, opened] = [{ visibility: 'INTERNAL' }, { visibility: 'PUBLIC' }]
      return (before: object | null) => () =>
        requireRuleWriter(
          { viewer } as unknown as SubgraphContext,
          note as unknown as EntityModel,
          before && (closed as never),
          opened as never,
          ['visibility'],
        )
    }
    expect(open({ writers: ['write'] })({})).toThrow('Somebody else must do this: it is about yourself')
    expect(open({ setOnce: true })({})).toThrow(/^Note.visibility decides policy notes:public/)
    expect(open({ setOnce: true })(null)).not.toThrow()
  })
})
