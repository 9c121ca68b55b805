import { isObjectType, parse } from 'graphql'
import { operatorScopes } from '../../database/operators'
import { platformScope, readDeclarations, type Requirement } from '../../kernel/access/access'
import { decide } from '../../kernel/access/row-rules'
import type { SubgraphContext } from '../../kernel/context'
import type { Policies } from '../../kernel/policy'
import { sensitiveClasses } from '../../kernel/sensitive/classes'
import { subgraphs } from '../../subgraphs'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { api } from '../support/list-catalog'
import { change, userErrors } from '../support/lists'

/**
 * A5: no role of a tenant, no user and no key can hold or give a scope of the platform: not by a mutation, not by the
 * database, and held all the same it would open nothing.
 */
let graph: TestGraph
let acme: TestTenant
let admin: TestClient

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  admin = await acme.as('ADMIN')
})
afterAll(() => graph?.close())

const scopes = Object.keys(operatorScopes)

/** Every mutation whose input takes permissions, and how it is asked to give one. */
const granting: Readonly<Record<string, (permission: string) => Promise<Record<string, unknown>>>> = {
  createRole: async (permission) => ({ name: `Platform ${permission}`, permissions: [permission] }),
  updateRole: async (permission) => {
    const input = { name: `Later ${permission}`, permissions: [] }
    const role = await change<{ id: string; version: number }>(
      admin,
      'createRole',
      input,
      'role { id version }',
    )
    return { id: role.id, expectedVersion: role.version, permissions: [permission] }
  },
  grantPermission: async (permission) => ({ userId: (await acme.as('USER')).userId, permission }),
  revokePermission: async (permission) => ({ userId: (await acme.as('USER')).userId, permission }),
  createApiKey: async (permission) => ({
    name: `Key ${permission}`,
    scopes: [permission],
    expiresAt: new Date(graph.clock.now().getTime() + 86_400_000).toISOString(),
  }),
}

/** All that decides what somebody of the tenant may do. */
async function held(): Promise<unknown[]> {
  const { rows } = await graph.owner.query(
    `SELECT to_jsonb(r) AS row FROM identity.roles r WHERE name NOT LIKE 'Later %'
     UNION ALL SELECT to_jsonb(u) - 'updated_at' FROM identity.users u
     UNION ALL SELECT to_jsonb(k) FROM identity.api_keys k
     UNION ALL SELECT to_jsonb(a) FROM identity.role_assignments a ORDER BY 1`,
  )
  return rows
}

it('every mutation that gives rights by name is among those that are tried (A5)', () => {
  const named = Object.values(api.getMutationType()!.getFields()).flatMap((field) => {
    const input = field.args.find(({ name }) => name === 'input')
    const type = input && api.getType(String(input.type).replace('!', ''))
    const fields = type && 'getFields' in type ? Object.keys(type.getFields() as object) : []
    // Scopes whose holders need a second factor are asked about, not given.
    return fields.some((name) => name !== 'mfaScopes' && /permission|scope/i.test(name)) ? [field.name] : []
  })
  expect(named.sort()).toEqual(Object.keys(granting).sort())
})

describe.each(Object.keys(granting))('%s (A5)', (mutation) => {
  it.each(scopes)('gives nobody %s', async (scope) => {
    const input = await granting[mutation]!(scope)
    const before = await held()
    const code = mutation === 'revokePermission' ? 'NOT_FOUND' : 'REFERENCE_NOT_FOUND'
    expect(await userErrors(admin, mutation, input)).toMatchObject([{ code }])
    expect(await held()).toEqual(before)
  })
})

it.each([
  [
    'identity.roles',
    "UPDATE identity.roles SET permissions = array_append(permissions, $1) WHERE name = 'USER'",
  ],
  ['identity.users', 'UPDATE identity.users SET granted_permissions = array_append(granted_permissions, $1)'],
  ['identity.api_keys', 'UPDATE identity.api_keys SET scopes = array_append(scopes, $1)'],
  [
    'identity.permissions',
    "INSERT INTO identity.permissions (id, name, description) VALUES (gen_random_uuid(), $1, 'x')",
  ],
])('the database keeps scopes of the platform out of %s, the owner’s writes too (A5)', async (_, text) => {
  const { errors } = await admin.query(
    'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { userErrors { code } } }',
    { input: { ...(await granting['createApiKey']!('hr:employee:read')), name: `Key of ${text.length}` } },
  )
  expect(errors).toBeUndefined()
  const before = await held()
  for (const scope of [...scopes, 'tenancy:platform:whatever'])
    await expect(graph.owner.query(text, [scope])).rejects.toMatchObject({
      code: '23514',
      constraint: expect.stringMatching(/_no_platform_scope_check$/) as string,
    })
  expect(await held()).toEqual(before)
})

it.each([
  ['{tenancy:platform:tenants}', 'without the scope that every operator holds'],
  ['{tenancy:platform:read,hr:salary:read}', 'with a scope of a tenant'],
  ['{tenancy:platform:read,NULL}', 'with no scope'],
])('the database refuses an operator with %s: %s (A5)', async (given) => {
  await expect(
    graph.owner.query(
      `INSERT INTO identity.operators (id, email, name, scopes, password_salt, password_digest)
       VALUES (gen_random_uuid(), 'x@platform.example', 'x', $1, '$2b$12$' || repeat('.', 22), repeat('0', 64))`,
      [given],
    ),
  ).rejects.toMatchObject({ code: '23514', constraint: 'operators_scopes_check' })
})

/** The scopes that fields and types of the product ask for, by place. */
const asked = subgraphs.flatMap(({ typeDefs }) =>
  [...readDeclarations(typeDefs).types.values()].flatMap((type) => [
    ...(type.access?.requirements ?? []).map((one) => ({ place: type.name, ...one })),
    ...[...type.fields.values()].flatMap(({ field, access }) =>
      (access?.requirements ?? []).map((one) => ({ place: `${type.name}.${field}`, ...one })),
    ),
  ]),
)

it('fields ask for scopes of the platform that operators can hold, and never together with others (A5)', () => {
  const groups = asked.filter(({ kind }) => kind === 'scopes').flatMap(({ anyOf }) => anyOf)
  const ofPlatform = groups.filter((group) => group.some((scope) => scope.startsWith(platformScope)))
  expect(ofPlatform.filter((group) => !group.every((scope) => scopes.includes(scope)))).toEqual([])
  expect(ofPlatform.length).toBeGreaterThan(0)
})

it('a viewer who held a scope of the platform all the same would be denied by every field (A5)', async () => {
  const viewer = {
    ...{ tenantId: acme.id, userId: admin.userId, sessionId: null, permissionVersion: 1 },
    scopes: new Set(scopes),
  }
  const { clock } = graph
  const context = {
    requestId: 'forged',
    viewer,
    clientIp: null,
    userAgent: null,
    clock,
    log: graph.server.services.log,
  }
  const roots = asked.filter(
    ({ place, anyOf }) =>
      /^(Query|Mutation)\./.test(place) && anyOf.flat().some((one) => one.startsWith(platformScope)),
  )
  expect(roots.map(({ place }) => place)).toContain('Mutation.operatorSignOut')
  const answer = await graph.server.subgraphs.get('identity')!.execute({
    document: parse('mutation { operatorSignOut(input: {}) { userErrors { code } } }'),
    context,
  })
  expect(answer.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
})

it('an operator passes no field that asks for a person or for a recent proof, inside a tenant or outside (A5)', () => {
  const now = graph.clock.now()
  const viewer = {
    ...{ tenantId: acme.id, userId: admin.userId, sessionId: null, permissionVersion: 0 },
    ...{ provedAt: now.getTime(), scopes: new Set(asked.flatMap(({ anyOf }) => anyOf.flat())) },
  }
  const operator = { operatorId: admin.userId, sessionId: 's', scopes: viewer.scopes, entryId: 'e' }
  const passing = (who: object, policies: Policies, requirement: Requirement) =>
    decide(
      requirement,
      policies,
      { ...who, services: { clock: graph.clock } } as unknown as SubgraphContext,
      {},
    ) === true
  const tried: string[] = []
  for (const { typeDefs, policies } of subgraphs)
    for (const { name, fields } of readDeclarations(typeDefs).types.values())
      for (const { field, access, inPerson, stepUp } of fields.values()) {
        if (!inPerson && !stepUp) continue
        tried.push(`${name}.${field}`)
        for (const one of access?.requirements ?? []) {
          const requirement = { ...one, inPerson, stepUp }
          const label = `${name}.${field}`
          for (const isWrite of [true, false])
            for (const inside of [viewer, null])
              expect([
                label,
                passing({ viewer: inside, operator }, policies, { ...requirement, isWrite }),
              ]).toEqual([label, false])
          if (one.kind === 'scopes')
            expect([label, passing({ viewer, operator: null }, policies, requirement)]).toEqual([label, true])
        }
      }
  expect(tried).toContain('Mutation.createApiKey')
  expect(tried.length).toBeGreaterThan(20)
})

it('what a sensitive field asks for is no scope of a plain entry (A5)', async () => {
  const { rows } = await graph.owner.query<{ name: string }>(
    "SELECT name FROM identity.permissions WHERE NOT is_sensitive AND name ~ ':read$'",
  )
  const plain = new Set(rows.map(({ name }) => name))
  const open = subgraphs.flatMap(({ sensitive, typeDefs, policies }) => {
    const { types } = readDeclarations(typeDefs)
    const viewer = { tenantId: '', userId: '', sessionId: null, permissionVersion: 0, scopes: plain }
    return [...sensitive].flatMap(([type, fields]) =>
      [...fields].flatMap(([field, name]) => {
        const { reads, retention } = sensitiveClasses[name]
        if (reads !== 'required' && retention !== 'AUDIT') return []
        const requirements = types.get(type)!.fields.get(field)!.access?.requirements ?? []
        const isMet = requirements.every(({ kind, anyOf }) =>
          anyOf.some((group) =>
            group.every((one) =>
              kind === 'scopes' ? plain.has(one) : policies[one]!.allow(viewer, { id: 'x', userId: 'x' }),
            ),
          ),
        )
        return isMet ? [`${type}.${field}`] : []
      }),
    )
  })
  expect(open).toEqual([])
  const sensitiveFields = subgraphs.flatMap(({ sensitive }) =>
    [...sensitive.values()].flatMap((one) => [...one.keys()]),
  )
  expect(sensitiveFields).toContain('salary')
})

it('what is told of several people together asks for a sensitive scope as well (A5)', async () => {
  const { rows } = await graph.owner.query<{ name: string }>(
    'SELECT name FROM identity.permissions WHERE is_sensitive ORDER BY name',
  )
  const flagged = rows.map(({ name }) => name)
  const summed = subgraphs.flatMap(({ summarized }) =>
    [...summarized.values()].flatMap(({ measure }) =>
      measure.flatMap(({ scopes: some }) => some?.flat() ?? []),
    ),
  )
  expect([...new Set(summed)].filter((scope) => !flagged.includes(scope))).toEqual([])
  expect(flagged).toEqual([
    'compliance:alert:details',
    'compliance:audit:details',
    'compliance:record:details',
    'compliance:subject:details',
    'finance:performance:read',
    'hr:attendance:read',
    'hr:leave:medical',
    'hr:leave:read',
    'hr:overtime:read',
    'hr:performance:read',
    'hr:performance:summary',
    'hr:remote:read',
    'hr:salary:read',
    'hr:salary:summary',
  ])
})

it('the graph shows no type that holds an operator’s secret (A5)', () => {
  const names = Object.values(api.getTypeMap()).flatMap((type) =>
    isObjectType(type) ? Object.keys(type.getFields()).map((field) => `${type.name}.${field}`) : [],
  )
  expect(names.filter((name) => /^Operator.*(hash|password|session)/i.test(name))).toEqual([])
})
