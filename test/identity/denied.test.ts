import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Supergraph } from '@apollo/federation-internals'
import { getIntrospectionQuery, parse, type IntrospectionQuery } from 'graphql'
import { readDeclarations } from '../../kernel/access/access'
import { maskError } from '../../kernel/execution/mask-error'
import { projectRoot } from '../../kernel/process/project-root'
import { loadable } from '../../registry/composition/compose'
import { startGraph, testClient, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change } from '../support/lists'
import { freshDatabase } from '../support/postgres'
import { startSpread } from '../support/spread'
import { userWith } from '../support/scopes'

/** A15: why something was denied is told to the people of the tenant, and to nobody else. */
let graph: TestGraph
let acme: TestTenant
let viewer: TestClient

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  viewer = await acme.as('VIEWER')
})
afterAll(() => graph?.close())

const told = async (client: TestClient, query: string, variables?: Record<string, unknown>) =>
  ((await client.query(query, variables)).errors ?? []).map(({ path, message, extensions }) => {
    const { traceId, ...rest } = extensions
    expect(traceId).toEqual(expect.any(String))
    return { path, message, ...rest }
  })

const message = 'You may not do this'
const createRole = 'mutation { createRole(input: { name: "None", permissions: [] }) { role { id } } }'
const needsRole = {
  ...{ path: ['createRole'], message, code: 'FORBIDDEN' },
  missing: { scopes: [['identity:role:write']] },
}

test('A15 a missing scope is named', async () => {
  expect(await told(viewer, createRole)).toEqual([needsRole])
})

test('A15 so is a policy that does not let the viewer in, once for all rows', async () => {
  await acme.as('ADMIN')
  const asked = await userWith(graph, acme, ['identity:user:read'])
  expect(await told(asked, '{ users(first: 3) { nodes { permissions } } }')).toEqual([
    {
      ...{
        path: ['users', 'nodes', expect.any(Number) as number, 'permissions'],
        message,
        code: 'FORBIDDEN',
      },
      missing: { policies: [['identity:self-or-role-reader']] },
    },
  ])
})

test('A15 of scopes that are held nothing is named', async () => {
  const half = await userWith(graph, acme, ['identity:role:write'])
  expect(await told(half, '{ users { totalCount } roles { totalCount } }')).toEqual(
    ['user', 'role'].map((one) => ({
      ...{ path: [`${one}s`], message, code: 'FORBIDDEN' },
      missing: { scopes: [[`identity:${one}:read`]] },
    })),
  )
})

test('A15 nobody else is told: strangers, keys, and who must change the password first', async () => {
  expect(await told(graph.anonymous, createRole)).toEqual([
    { path: ['createRole'], message: 'Sign in first', code: 'UNAUTHENTICATED' },
  ])
  const admin = await acme.user('ADMIN')
  const input = { name: 'Reader', scopes: ['hr:employee:read'], expiresAt: '2027-06-01T00:00:00Z' }
  const secret = await change<string>(admin, 'createApiKey', input, 'secret')
  const withKey = testClient(graph.server.url, '', { 'x-api-key': secret })
  expect(await told(withKey, '{ users { totalCount } }')).toEqual([
    { path: ['users'], message, code: 'FORBIDDEN' },
  ])
  const user = await acme.user('VIEWER')
  await graph.owner.query(
    'UPDATE identity.users SET password_change_required = true, permission_version = 2 WHERE id = $1',
    [user.userId],
  )
  for (const { missing, code } of (await told(user, createRole)) as { missing?: object; code: string }[])
    expect([code, missing]).toEqual(['PASSWORD_CHANGE_REQUIRED', undefined])
})

test('A15 what the public schema does not have stays unnamed', () => {
  const { types } = readDeclarations(
    parse('type Query { a: Int @inaccessible @requiresScopes(scopes: [["a:b:c"]]) b: Int @public }'),
  )
  const hidden = [...types.get('Query')!.fields.values()].map(({ field, inaccessible }) => [
    field,
    inaccessible,
  ])
  expect(hidden).toEqual([
    ['a', true],
    ['b', false],
  ])
})

test('A15 another service tells nothing in this place that has not its form, nor with another code', () => {
  const log = graph.server.services.log
  const masked = (code: string, missing: unknown) =>
    maskError({ message: 'No', extensions: { code, missing } }, 'trace', log).extensions['missing']
  expect(masked('FORBIDDEN', { scopes: [['a:b:c']] })).toEqual({ scopes: [['a:b:c']] })
  for (const wrong of ['secret', { scopes: 'x' }, { secret: [['x']] }, { scopes: [['x'.repeat(201)]] }, null])
    expect(masked('FORBIDDEN', wrong)).toBeUndefined()
  expect(masked('UNAUTHENTICATED', { scopes: [['a:b:c']] })).toBeUndefined()
})

test('A15 subgraphs over HTTP tell it too', async () => {
  const database = await freshDatabase()
  const whole = await startGraph({ database, demo: true })
  await whole.close()
  const { graph: spread, close } = await startSpread(database, whole.server.services)
  try {
    expect(await told(await spread.demo('acme', 'viewer'), createRole)).toEqual([needsRole])
  } finally {
    await close()
    await database.drop()
  }
})

test('A15 the descriptions that explorers show name the scopes of every field and type that asks for some', async () => {
  const sdl = readFileSync(join(projectRoot, 'schema', 'supergraph.graphql'), 'utf8')
  const { types } = readDeclarations(parse(sdl))
  const api = Supergraph.build(loadable(sdl)).apiSchema()
  const shown = await viewer.data<IntrospectionQuery>(getIntrospectionQuery())
  const descriptions = new Map<string, string>()
  for (const type of shown.__schema.types) {
    descriptions.set(type.name, type.description ?? '')
    if (type.kind !== 'OBJECT') continue
    for (const { name, description } of type.fields)
      descriptions.set(`${type.name}.${name}`, description ?? '')
  }
  let count = 0
  const check = (
    place: string,
    access: (typeof types extends ReadonlyMap<string, infer T> ? T : never)['access'],
  ) => {
    for (const { kind, anyOf } of access?.requirements ?? []) {
      if (kind !== 'scopes' || anyOf.flat().length === 0) continue
      count++
      const words = anyOf.map((group) => group.map((scope) => `\`${scope}\``).join(' and ')).join(', or ')
      expect([place, descriptions.get(place)]).toEqual([place, expect.stringContaining(`Needs ${words}.`)])
    }
  }
  for (const { name, access, fields } of types.values()) {
    if (!api.type(name)) continue
    check(name, access)
    for (const { field, access: ofField } of fields.values()) check(`${name}.${field}`, ofField)
  }
  expect(count).toBeGreaterThan(150)
  expect(descriptions.get('Query.users')).toBe(
    "The tenant's users, the newest first. Needs `identity:user:read`.",
  )
  expect(descriptions.get('Mutation.createRole')).toMatch(
    /Needs `identity:role:write`\. Asks for a recent `stepUp`\.$/,
  )
})
