import { buildSchema, executeSync, parse, print, validate, visit } from 'graphql'
import { diff } from '../../registry/diff'
import { coordinatesOf } from '../../registry/usage/coordinates'
import { usageIndex, type OperationUsage } from '../../registry/usage/usage'
import { readSchema, visibleTo, type SchemaModel } from '../../registry/schema-model'
import { cases, type Case } from './cases'
import { answer, type Request } from './real'
import { composedShop } from './shop'

/** The operation without literals and aliases, as gateways record it. */
const signature = (operation: string) =>
  print(
    visit(parse(operation), {
      IntValue: (node) => ({ ...node, value: '0' }),
      FloatValue: (node) => ({ ...node, value: '0' }),
      StringValue: (node) => ({ ...node, value: '', block: false }),
      ListValue: { leave: (node) => ({ ...node, values: [] }) },
      ObjectValue: { leave: (node) => ({ ...node, fields: [] }) },
      Field: (node) => ({ ...node, alias: undefined }),
    }),
  )

/** The names that were recorded before there were marks about what was sent: input types only where they were named. */
function namesOf(schema: SchemaModel, { operation, variables }: Request): string[] {
  const named = new Set<string>()
  visit(parse(operation), {
    VariableDefinition: ({ type }) =>
      void visit(type, { NamedType: ({ name }) => void named.add(name.value) }),
  })
  return [...coordinatesOf(schema, parse(operation), variables)].filter(
    (mark) => !/[-={]/.test(mark) && (schema.types.get(mark)?.kind !== 'input' || named.has(mark)),
  )
}

/** Everything that may be known of an operation. */
const records: Record<string, (schema: SchemaModel, request: Request) => Partial<OperationUsage>> = {
  'recorded by a gateway': (schema, { operation, variables }) => ({
    document: signature(operation),
    coordinates: [...coordinatesOf(schema, parse(operation), variables)],
  }),
  'told by its text': (_schema, { operation }) => ({ document: operation }),
  'told by its signature': (_schema, { operation }) => ({ document: signature(operation) }),
  'recorded in names only': (schema, request) => ({
    document: signature(request.operation),
    coordinates: namesOf(schema, request),
  }),
  'told by its coordinates': (schema, request) => ({ coordinates: namesOf(schema, request) }),
}

/** The operations that the changes of a case name, each told in this way. */
function named(change: Case, requests: readonly Request[], record: string): string[] {
  const before = readSchema(parse(composedShop(change.base).supergraph))
  const changes = diff(before, composedShop(change.edits).model)
  const operations = requests.map((request): OperationUsage => ({
    hash: '',
    name: request.operation + JSON.stringify(request.variables ?? {}),
    document: null,
    coordinates: null,
    clients: [],
    ...records[record]!(visibleTo(before), request),
  }))
  const find = usageIndex({ from: null, operations }, before)
  const affected = changes.filter(({ severity }) => severity !== 'safe').flatMap(({ affects }) => affects)
  return find(affected).map(({ name }) => name)
}

/** Only whoever meets these can tell: their answers are the same here. */
const unseen =
  /KEY_REMOVED|FIELD_RESOLVER_REMOVED|INTERFACE_OBJECT|SPECIFIED_BY|TYPE_KIND|REQUIRES|PROVIDES|ENUM_VALUE_REMOVED Status|APPLIED/

const harmedBy = ({ breaks, differs, harms = [], costs, access, rollout }: Case): Request[] => [
  ...(breaks ? [breaks] : []),
  ...(differs ? [differs] : []),
  ...harms,
  ...(costs && costs.is > costs.was ? [{ operation: costs.operation }] : []),
  ...(access?.was && !access.is ? [{ operation: access.operation }] : []),
  ...(rollout && !rollout.works ? [{ operation: rollout.operation }] : []),
]
const sparedBy = ({ keeps, spares = [], changes }: Case): Request[] => [
  ...(keeps && !changes.some((change) => unseen.test(change)) ? [keeps] : []),
  ...spares,
  // Whoever does something else altogether.
  ...(changes.some((change) => change.includes('echo')) ? [] : [{ operation: '{ echo(number: 2) }' }]),
]
const text = ({ operation, variables = {} }: Request) => operation + JSON.stringify(variables)

// Changes that concern somebody: the others affect nobody, or whoever could not be there before.
const concerning = cases.filter(({ changes }) =>
  changes.some((change) => !/^safe|ACCESS_(WIDENED|CHANGED)/.test(change)),
)

describe.each(concerning)('R1, R3: $what', (change) => {
  test.each(Object.keys(records))('names who suffers, %s', (record) => {
    const harmed = harmedBy(change)
    expect(named(change, harmed, record)).toEqual(harmed.map(text))
  })

  test('names nobody who is safe', () => {
    const spared = sparedBy(change)
    expect(named(change, spared, 'recorded by a gateway')).toEqual([])
    const plain = spared.filter(({ operation }) => !operation.includes('$'))
    expect(named(change, plain, 'told by its text')).toEqual([])
  })
})

test('R3: each kind of change that concerns somebody has one who suffers and one who does not', () => {
  const seen = (of: (change: Case) => readonly Request[]) =>
    new Set(
      concerning
        .filter((change) => of(change).length > 0)
        .flatMap(({ changes }) =>
          changes.filter((line) => !line.startsWith('safe')).map((line) => line.split(' ')[1]),
        ),
    )
  const codes = [...new Set(concerning.flatMap(({ changes }) => changes))]
    .filter((line) => !/^safe|ACCESS_(WIDENED|CHANGED)/.test(line))
    .map((line) => line.split(' ')[1])
  const unnamed = [
    'SUBGRAPH_REMOVED',
    'APPLIED_DIRECTIVE_CHANGED',
    'SPECIFIED_BY_CHANGED',
    'KEY_REMOVED',
    'INTERFACE_OBJECT_CHANGED',
    'REQUIRES_CHANGED',
    'TYPE_KIND_CHANGED',
    'PROVIDES_REMOVED',
  ]
  const [harmed, spared] = [seen(harmedBy), seen(sparedBy)]
  expect(codes.filter((code) => !harmed.has(code) && !unnamed.includes(code!))).toEqual([])
  expect(codes.filter((code) => !spared.has(code))).toEqual([])
})

/** Composition does not know @oneOf, so it cannot be a case of the shop. */
test('R1: an input that takes exactly one of its fields from now on, inside another input', () => {
  const sdl = (oneOf: string) =>
    `type Query { deep(outer: Outer): String } input Outer { inner: Inner flag: Boolean } input Inner${oneOf} { y: Int z: Int }`
  const [before, after] = [readSchema(parse(sdl(''))), readSchema(parse(sdl(' @oneOf')))]
  const [change] = diff(before, after)
  expect(change?.code).toBe('ONE_OF_ADDED')
  const suffers = (record: string, request: Request) => {
    const operation = { hash: '', name: 'x', document: null, coordinates: null, clients: [] }
    const known = { ...operation, ...records[record]!(before, request) }
    return usageIndex({ from: null, operations: [known] }, before)(change!.affects).length > 0
  }
  const deep = (o: unknown) => ({ operation: 'query ($o: Outer) { deep(outer: $o) }', variables: { o } })
  const harmed = [
    deep({ inner: { y: 1, z: 2 } }),
    deep({ inner: {} }),
    deep({ inner: { y: null } }),
    { operation: '{ deep(outer: { inner: { y: 1, z: 1 } }) }' },
    { operation: 'query ($y: Int) { deep(outer: { inner: { y: $y } }) }', variables: { y: 1 } },
  ]
  const spared = [
    deep({ inner: { y: 1 } }),
    deep({ flag: true }),
    { operation: '{ deep(outer: { inner: { z: 1 } }) }' },
    { operation: 'query ($y: Int!) { deep(outer: { inner: { y: $y } }) }', variables: { y: 1 } },
  ]
  const fails = ({ operation, variables }: Request) => {
    const schema = buildSchema(sdl(' @oneOf'))
    const document = parse(operation)
    return (
      validate(schema, document).length > 0 ||
      executeSync({ schema, document, variableValues: variables }).errors !== undefined
    )
  }
  expect([...harmed, ...spared].map(fails)).toEqual([...harmed.map(() => true), ...spared.map(() => false)])
  for (const record of Object.keys(records))
    expect([record, harmed.map((request) => suffers(record, request))]).toEqual([
      record,
      harmed.map(() => true),
    ])
  expect(spared.map((request) => suffers('recorded by a gateway', request))).toEqual(spared.map(() => false))
})

/** Every operation of the table, against every change of the table. */
const pool = [
  ...new Map(
    cases
      .flatMap(({ breaks, keeps, differs, harms = [], spares = [] }) =>
        [breaks, keeps, differs, ...harms, ...spares].flatMap((request) => request ?? []),
      )
      .map(({ operation, variables }) => [text({ operation, variables }), { operation, variables }]),
  ).values(),
]

/** Changes that show as refusals, or in what a resolver is given. */
const refusing =
  /ARGUMENT_(?!DEFAULT_CHANGED @)|INPUT_FIELD_|FIELD_REMOVED|TYPE_REMOVED|(?<!APPLIED_)DIRECTIVE_|MEMBER_REMOVED|INTERFACE_REMOVED|ENUM_VALUE_REMOVED (?!Status)/
/** Changes by which the stub behind the schema answers otherwise, though no client would notice. */
const otherStub = /_TYPE_CHANGED|INTERFACE_|UNION_/

/** With its variables; and with each of those that may be null null, or not given at all. */
function* waysToSend({ operation, variables = {} }: Request): Generator<Request> {
  yield { operation, variables }
  for (const [, name = ''] of operation.matchAll(/\$(\w+): \[?\w+!?\]?(?=[ ,)])/g)) {
    yield { operation, variables: { ...variables, [name]: null } }
    yield {
      operation,
      variables: Object.fromEntries(Object.entries(variables).filter(([key]) => key !== name)),
    }
  }
}

test('R3: whatever operation of the table suffers from a change of the table is named, and no other', async () => {
  const [missed, tooMany]: [string[], string[]] = [[], []]
  let [suffering, safe] = [0, 0]
  const first = new Map<string, ReturnType<typeof answer>>()
  for (const change of concerning) {
    const [before, after] = [composedShop(change.base).supergraph, composedShop(change.edits).supergraph]
    const answerBefore = (request: Request) => {
      const key = JSON.stringify([change.base ?? [], request])
      const known = first.get(key) ?? answer(before, request)
      first.set(key, known)
      return known
    }
    const suffers = async (request: Request) => {
      const [was, is] = [await answerBefore(request), await answer(after, request)]
      if (was.errors || (otherStub.test(lines) && !lines.includes('DEFAULT_CHANGED')))
        return !was.errors && !!is.errors
      return JSON.stringify(was) !== JSON.stringify(is)
    }
    const lines = change.changes.join('\n')
    const valid: Request[] = []
    for (const request of pool) if (!(await answerBefore(request)).errors) valid.push(request)
    const found = new Set(named(change, valid, 'recorded by a gateway'))
    const refuses = change.changes.every((line) => line.startsWith('safe') || refusing.test(line))
    for (const request of valid) {
      const line = `${change.what}: ${text(request)}`
      const isNamed = found.has(text(request))
      if (await suffers(request)) {
        suffering++
        if (!isNamed) missed.push(line)
      } else if (!refuses) continue
      else if (!isNamed) safe++
      else if (!(await Promise.all([...waysToSend(request)].map(suffers))).includes(true)) tooMany.push(line)
    }
  }
  expect({ missed, tooMany }).toEqual({ missed: [], tooMany: [] })
  expect(suffering).toBeGreaterThan(200)
  expect(safe).toBeGreaterThan(1000)
})
