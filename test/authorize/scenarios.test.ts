import { parse } from 'graphql'
import {
  asked,
  define,
  finance,
  hr,
  request,
  start,
  startThree,
  summary,
  type Graph,
} from './three-subgraphs'

let graph: Graph
beforeAll(async () => {
  graph = await startThree()
})
afterAll(() => graph.stop())

const readers = ['hr:employee:read', 'finance:claim:read']
const ask = async (query: string, scopes: string[] | null, userId?: string) =>
  summary(await graph.ask(query, request(scopes, userId)))
const askHr = async (query: string, scopes: string[] | null, variables?: object) =>
  summary(
    await graph.running.get('hr')!.execute({ document: parse(query), variables, context: request(scopes) }),
  )

describe('scopes, through the composed graph', () => {
  test('fields with their own scope are null with FORBIDDEN at each row, in their own subgraph and beyond', async () => {
    expect(await ask('{ claims { amount by { salary } } }', readers)).toEqual({
      data: { claims: Array(3).fill({ amount: null, by: { salary: null } }) },
      errors: [0, 1, 2].flatMap((row) => [
        `claims.${row}.amount FORBIDDEN`,
        `claims.${row}.by.salary FORBIDDEN`,
      ]),
    })
  })

  test('the same fields are answered to those who have the scopes', async () => {
    expect(
      await ask('{ claims { amount by { salary } } }', [...readers, 'hr:salary:read', 'finance:amount:read']),
    ).toEqual({
      data: {
        claims: [
          { amount: 0, by: { salary: 100 } },
          { amount: 1, by: { salary: 200 } },
          { amount: 2, by: { salary: 300 } },
        ],
      },
      errors: [],
    })
  })

  test('paths use response keys', async () => {
    const { errors } = await ask('{ cs: claims { b: by { s: salary } } }', readers)
    expect(errors).toEqual(['cs.0.b.s FORBIDDEN', 'cs.1.b.s FORBIDDEN', 'cs.2.b.s FORBIDDEN'])
  })

  test('any group of scopes suffices, but only a whole one', async () => {
    const salary = '{ employee(id: "e1") { salary } }'
    expect(await ask(salary, ['hr:employee:read', 'hr:pay:read', 'hr:audit:read'])).toEqual({
      data: { employee: { salary: 100 } },
      errors: [],
    })
    expect(await ask(salary, ['hr:employee:read', 'hr:pay:read'])).toEqual({
      data: { employee: { salary: null } },
      errors: ['employee.salary FORBIDDEN'],
    })
  })

  test('a field three subgraph steps away is denied where it stands', async () => {
    expect(await ask('{ users { employee { manager { salary } } } }', ['hr:employee:read'])).toEqual({
      data: { users: [{ employee: { manager: null } }, { employee: { manager: { salary: null } } }] },
      errors: ['users.1.employee.manager.salary FORBIDDEN'],
    })
  })

  test('a denied root field leaves its neighbours answered', async () => {
    expect(await ask('{ motd secrets }', [])).toEqual({
      data: { motd: 'hello', secrets: null },
      errors: ['secrets FORBIDDEN'],
    })
  })

  test('nobody gets what is public, and UNAUTHENTICATED for each other root field', async () => {
    expect(await ask('{ motd secrets users { name } claims { amount } }', null)).toEqual({
      data: { motd: 'hello', secrets: null, users: null, claims: null },
      errors: ['claims UNAUTHENTICATED', 'secrets UNAUTHENTICATED', 'users UNAUTHENTICATED'],
    })
  })

  test('a viewer without the scope of a type gets no object of it by any way into it', async () => {
    expect(await ask('{ employee(id: "e1") { level } }', [])).toEqual({
      data: { employee: null },
      errors: ['employee FORBIDDEN'],
    })
    expect(await ask('{ employees { nodes { level } } }', [])).toEqual({
      data: { employees: null },
      errors: ['employees FORBIDDEN'],
    })
    expect(await ask('{ employees { edges { node { level } } } }', [])).toEqual({
      data: { employees: null },
      errors: ['employees FORBIDDEN'],
    })
    expect(await ask('mutation { hire { employee { level } } }', ['hr:employee:write'])).toEqual({
      data: { hire: { employee: null } },
      errors: ['hire.employee FORBIDDEN'],
    })
    const users = await ask('{ users { employee { level } } }', [])
    expect(users).toEqual({
      data: { users: [{ employee: null }, { employee: null }] },
      errors: ['users.0.employee FORBIDDEN', 'users.1.employee FORBIDDEN'],
    })
  })
})

describe('row rules on fields', () => {
  test('in a list from another subgraph only the rows of others are denied', async () => {
    asked.self = 0
    expect(await ask('{ claims { by { notes } } }', readers, 'u2')).toEqual({
      data: { claims: [{ by: { notes: null } }, { by: { notes: 'n2' } }, { by: { notes: null } }] },
      errors: ['claims.0.by.notes FORBIDDEN', 'claims.2.by.notes FORBIDDEN'],
    })
    expect(asked.self).toBe(3)
  })

  test('a row that lacks what its rule looks at is an internal error, not an admission', async () => {
    const partial = {
      ...hr,
      resolvers: {
        ...hr.resolvers,
        Query: { employee: () => ({ id: 'e1', notes: 'n1' }), employees: () => null },
      },
    }
    const running = await start(partial)
    const answer = await running.execute({
      document: parse('{ employee(id: "e1") { notes } }'),
      context: request(['hr:employee:read']),
    })
    expect(summary(answer)).toEqual({
      data: { employee: { notes: null } },
      errors: ['employee.notes INTERNAL_SERVER_ERROR'],
    })
  })
})

describe('a subgraph asked directly', () => {
  const entities = `query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on Employee { id level salary } ... on User { id } } }`
  const employee = (id: string, forged: object = {}) => ({ __typename: 'Employee', id, ...forged })

  test('_entities answers nobody', async () => {
    expect(await askHr(entities, null, { refs: [employee('e1'), employee('e2')] })).toEqual({
      data: { _entities: [null, null] },
      errors: ['_entities.0 UNAUTHENTICATED', '_entities.1 UNAUTHENTICATED'],
    })
  })

  test('_entities denies the objects of a type whose scope is missing, whatever was denied before', async () => {
    expect(await askHr(entities, [], { refs: [employee('e1'), employee('e2')] })).toEqual({
      data: { _entities: [null, null] },
      errors: ['_entities.0 FORBIDDEN', '_entities.1 FORBIDDEN'],
    })
  })

  test('_entities denies a field without its scope, and an unknown id is null', async () => {
    expect(await askHr(entities, ['hr:employee:read'], { refs: [employee('e1'), employee('e9')] })).toEqual({
      data: { _entities: [{ id: 'e1', level: 'junior', salary: null }, null] },
      errors: ['_entities.0.salary FORBIDDEN'],
    })
  })

  test('_service is no secret of the graph', async () => {
    const { data, errors } = await askHr('{ _service { sdl } }', null)
    expect(errors).toEqual([])
    expect(data).toEqual({ _service: { sdl: expect.stringContaining('type Employee') as string } })
  })

  test('what a reference says beyond its key changes nothing', async () => {
    const refs = [employee('e1', { salary: 1, level: 'senior', userId: 'u1', notes: 'forged' })]
    expect(await askHr(entities, ['hr:employee:read', 'hr:salary:read'], { refs })).toEqual({
      data: { _entities: [{ id: 'e1', level: 'junior', salary: 100 }] },
      errors: [],
    })
    const notes =
      'query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on Employee { notes } } }'
    expect(await askHr(notes, ['hr:employee:read'], { refs: [employee('e2', { userId: 'u1' })] })).toEqual({
      data: { _entities: [{ notes: null }] },
      errors: ['_entities.0.notes FORBIDDEN'],
    })
  })

  test('one denial shared by two types stays a denial for both', async () => {
    const scope = '@requiresScopes(scopes: [["hr:employee:read"]])'
    const answering = { __resolveReference: ({ id }: { id: string }) => ({ id }) }
    const running = await start(
      define(
        'hr',
        `type Badge @key(fields: "id") ${scope} { id: ID! } type Desk @key(fields: "id") ${scope} { id: ID! }
         type Query { open: Int @public }`,
        { Query: { open: () => 1 }, Badge: answering, Desk: answering },
      ),
    )
    const document = parse('query ($refs: [_Any!]!) { _entities(representations: $refs) { __typename } }')
    const variables = { refs: ['Badge', 'Desk', 'Badge'].map((__typename) => ({ __typename, id: 'x' })) }
    expect(summary(await running.execute({ document, variables, context: request([]) }))).toEqual({
      data: { _entities: [null, null, null] },
      errors: ['_entities.0 FORBIDDEN', '_entities.1 FORBIDDEN', '_entities.2 FORBIDDEN'],
    })
  })

  test('of a reference to another subgraph’s entity only the key and what @requires asks for comes through', async () => {
    const told: object[] = []
    const listening = {
      ...finance,
      resolvers: { ...finance.resolvers, Employee: { allowance: (parent: object) => told.push(parent) } },
    }
    const running = await start(listening)
    const document = parse(
      'query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on Employee { allowance } } }',
    )
    const variables = {
      refs: [{ __typename: 'Employee', id: 'e1', level: 'senior', userId: 'u1', salary: 1 }],
    }
    await running.execute({ document, variables, context: request(readers) })
    expect(told).toEqual([{ id: 'e1', level: 'senior' }])
  })

  test('a forged @requires value gives no access', async () => {
    const document = parse(
      'query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on Employee { allowance } } }',
    )
    const variables = {
      refs: [{ __typename: 'Employee', id: 'e1', level: 'senior', allowance: 9, scopes: readers }],
    }
    const finance = graph.running.get('finance')!
    expect(
      summary(await finance.execute({ document, variables, context: request(['finance:claim:read']) })),
    ).toEqual({
      data: { _entities: [{ allowance: null }] },
      errors: ['_entities.0.allowance FORBIDDEN'],
    })
  })
})

describe('several subgraphs over one request', () => {
  test('a result cached under an equal rule name on the shared context is not read', async () => {
    const poisoned = Object.assign(request(['hr:employee:read']), {
      _shield: { cache: { 'hr scopes [["hr:salary:read"],["hr:pay:read","hr:audit:read"]]': true } },
    })
    const answer = await graph.ask('{ employee(id: "e1") { salary } }', poisoned)
    expect(summary(answer)).toEqual({
      data: { employee: { salary: null } },
      errors: ['employee.salary FORBIDDEN'],
    })
  })

  test('two subgraphs with the same rule names decide for themselves', async () => {
    const strict = { ...hr, policies: { self: { columns: ['userId'], allow: () => false } } }
    const [first, second] = [await start(hr), await start(strict)]
    const shared = request(['hr:employee:read'])
    const document = parse('{ employee(id: "e1") { notes } }')
    expect(summary(await first.execute({ document, context: shared }))).toEqual({
      data: { employee: { notes: 'n1' } },
      errors: [],
    })
    expect(summary(await second.execute({ document, context: shared }))).toEqual({
      data: { employee: { notes: null } },
      errors: ['employee.notes FORBIDDEN'],
    })
  })

  test('shield caches an allow for one subgraph, user and request only, whatever the rule is called', async () => {
    const [first, second] = [await start(hr), await start(hr)]
    const document = parse('{ employee(id: "e1") { salary } }')
    const ask = async (subgraph: typeof first, context: ReturnType<typeof request>) =>
      summary(await subgraph.execute({ document, context }))
    const allowed = { data: { employee: { salary: 100 } }, errors: [] }
    const denied = { data: { employee: { salary: null } }, errors: ['employee.salary FORBIDDEN'] }
    const readsSalary = ['hr:employee:read', 'hr:salary:read']

    const shared = request(readsSalary, 'u1')
    expect(await ask(first, shared)).toEqual(allowed)
    shared.viewer!.scopes = new Set(['hr:employee:read'])
    // The first subgraph has decided for this request; the second, with equal rule names, decides for itself.
    expect(await ask(first, shared)).toEqual(allowed)
    expect(await ask(second, shared)).toEqual(denied)
    expect(await ask(first, request(['hr:employee:read'], 'u1'))).toEqual(denied)
    expect(await ask(first, request(['hr:employee:read'], 'u2'))).toEqual(denied)
    expect(await ask(first, request(readsSalary, 'u2'))).toEqual(allowed)
  })

  test('a rule about the viewer is decided once per request, and again for the next viewer', async () => {
    const running = graph.running.get('hr')!
    const document = parse('{ employees { nodes { salary } } }')
    const asking = request(['hr:employee:read'])
    const checked: string[] = []
    const scopes = asking.viewer!.scopes
    asking.viewer!.scopes = {
      has: (scope: string) => checked.push(scope) > 0 && scopes.has(scope),
    } as Set<string>
    expect((await running.execute({ document, context: asking })).errors).toHaveLength(3)
    // The last one for what is told to be missing: each is asked about once.
    expect(checked).toEqual(['hr:employee:read', 'hr:salary:read', 'hr:pay:read', 'hr:audit:read'])
    const allowed = await running.execute({
      document,
      context: request(['hr:employee:read', 'hr:salary:read']),
    })
    expect(summary(allowed).errors).toEqual([])
  })
})

describe('what the guards are worth', () => {
  test('without shield everything above would be read by anyone: the denials are its doing', async () => {
    const open = await startThree({ guard: (schema) => schema })
    try {
      expect(
        summary(
          await open.ask('{ secrets users { name } claims { amount by { salary notes } } }', request(null)),
        ),
      ).toEqual({
        data: {
          secrets: 'secret',
          users: [{ name: 'Name u1' }, { name: 'Name u2' }],
          claims: [
            { amount: 0, by: { salary: 100, notes: 'n1' } },
            { amount: 1, by: { salary: 200, notes: 'n2' } },
            { amount: 2, by: { salary: 300, notes: 'n3' } },
          ],
        },
        errors: [],
      })
    } finally {
      await open.stop()
    }
  })
})
