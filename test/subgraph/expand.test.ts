import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { concatAST, getLocation, parse, print, Source, type DefinitionNode, type DocumentNode } from 'graphql'
import { projectRoot } from '../../kernel/process/config'
import { expand } from '../../kernel/schema/expand'
import { searchedFields, summarizedFields } from '../../kernel/schema/markings'
import { readSdl, SdlError } from '../../kernel/schema/sdl'

const shared = new Source(
  readFileSync(join(projectRoot, 'schema', 'shared.graphql'), 'utf8'),
  'schema/shared.graphql',
)
const sources = (sdl: string) => [shared, new Source(sdl, 'schema/shop/order.graphql')]
const written = (sdl: string): DocumentNode => concatAST(sources(sdl).map((source) => parse(source)))

const nameOf = (node: DefinitionNode) => ('name' in node && node.name ? node.name.value : '')
/** The definitions of a name in a document, as text. */
function shown(document: DocumentNode, ...names: string[]): string {
  const found = document.definitions.filter((node) => names.includes(nameOf(node)))
  return found.map(print).join('\n')
}
/** The same, without descriptions. */
const bare = (document: DocumentNode, ...names: string[]) =>
  shown(document, ...names)
    .replace(/^ *".*"$/gm, '')
    .replace(/\s+/g, ' ')
    .trim()

const order = `
type Query { orders: OrderConnection @authenticated orderSummary: OrderSummary @authenticated }
type Mutation {
  placeOrder(input: PlaceOrderInput!): PlaceOrderPayload! @authenticated
  cancelOrder(input: CancelOrderInput!): CancelOrderPayload! @authenticated
  discardOrder(input: DiscardOrderInput!): DiscardOrderPayload! @authenticated
}
"Something ordered."
type Order @key(fields: "id") @authenticated {
  "UUID of the order."
  id: ID!
  "Its number; unique within the tenant."
  orderNumber: String! @filter @order @search
  "How far it is."
  status: OrderStatus! @filter @group
  "Who ordered it; null when unknown."
  buyer: Buyer @filter @group
  "What is to be paid: tax included."
  total: Money! @filter @order @measure
  "Whether it was paid."
  isPaid: Boolean! @filter
  "ISO code of the country."
  isoCode2: String @order(description: "The country's code.") @search
  "When it was placed."
  placedAt: DateTime! @filter @order @group
  "How many things."
  size: Int @measure
  "What it costs us."
  cost: Money @requiresScopes(scopes: [["a:b:c"]]) @measure(minGroup: 5, scopes: [["a:b:sums"]])
}
type Buyer @key(fields: "id") { id: ID! orders: OrderConnection @authenticated }
enum OrderStatus { OPEN DONE }
input PlaceOrderInput { buyerId: ID! }
"Reasons of its own."
enum ShopUserErrorCode { SOLD_OUT }
`
const expanded = expand(written(order))

test('one entity: the derived text, exactly', () => {
  expect(
    shown(expanded, 'OrderFilter', 'OrderOrder', 'OrderOrderField', 'OrderConnection', 'OrderEdge'),
  ).toBe(readFileSync(join(__dirname, 'expanded-order.graphql'), 'utf8').trimEnd())
})

test('Q7 the filter of an enum has the conditions of every kind', () => {
  expect(bare(expanded, 'OrderStatusFilter')).toBe(
    'input OrderStatusFilter { eq: OrderStatus in: [OrderStatus!] notIn: [OrderStatus!] isNull: Boolean }',
  )
})

const summaryField =
  'orderSummary( filter: OrderFilter groupBy: [OrderDimension!]! = [] per: TimeBucket timeZone: TimeZone ' +
  'fillGaps: Boolean! = false orderBy: OrderSummaryOrder first: Int = 100 fresh: Boolean! = false ): ' +
  'OrderSummary @authenticated @cost(weight: 500) @listSize(assumedSize: 100, slicingArguments: ["first"], ' +
  'sizedFields: ["groups"], requireOneSlicingArgument: false)'

describe('Q1 a summary', () => {
  const summaryTypes = ['Summary', 'Group', 'Key', 'Dimension', 'SummaryOrder', 'SummaryOrderField']

  test('its types, exactly', () => {
    expect(shown(expanded, ...summaryTypes.map((name) => `Order${name}`))).toBe(
      readFileSync(join(__dirname, 'expanded-summary.graphql'), 'utf8').trimEnd(),
    )
  })

  test('without a time there are no spans, without dimensions no groups to choose', () => {
    const sdl = (marks: string) =>
      `type Query { thingSummary: ThingSummary @public } type Thing { id: ID! a: Boolean ${marks} size: Int @measure }`
    expect(bare(expand(written(sdl('@group'))), 'Query')).toContain(
      'thingSummary( groupBy: [ThingDimension!]! = [] orderBy: ThingSummaryOrder first: Int = 100 fresh: Boolean! = false )',
    )
    const plain = expand(written(sdl('')))
    expect(bare(plain, 'Query')).toContain(
      'thingSummary( fresh: Boolean! = false ): ThingSummary @public @cost(weight: 500) }',
    )
    expect(bare(plain, 'ThingGroup')).toBe('type ThingGroup { count: Int! size: NumberMeasure }')
  })

  test.each(summaryTypes)('Order%s that is written by hand wins', (name) => {
    const sdl = /Order$/.test(name)
      ? `input Order${name} { mine: Int }`
      : /Dimension|Field/.test(name)
        ? `enum Order${name} { MINE }`
        : `type Order${name} { mine: Int }`
    expect(bare(expand(written(order + sdl)), `Order${name}`)).toBe(sdl)
  })

  test('arguments that are written stay; a summary that is written wholly by hand gets none', () => {
    const own = order.replace('orderSummary:', 'orderSummary("Mine." first: Int = 7):')
    expect(bare(expand(written(own)), 'Query')).toMatch(/orderSummary\( ?first: Int = 7 .*fresh: Boolean/)
    const whole = expand(written(`${order} type OrderSummary { mine: Int }`))
    expect(bare(whole, 'Query')).toContain('orderSummary: OrderSummary @authenticated }')
    expect(shown(whole, 'OrderGroup', 'OrderKey')).toBe('')
  })

  test('what it is made of is told apart: which dimensions are fixed, which measures have a smallest group', () => {
    const { group, measure } = summarizedFields(written(order)).get('Order')!
    expect(group.map(({ field, isFixed }) => [field.name.value, isFixed])).toEqual([
      ['status', true],
      ['buyer', true],
      ['placedAt', false],
    ])
    expect(measure.map(({ field, minGroup }) => [field.name.value, minGroup])).toEqual([
      ['total', undefined],
      ['size', undefined],
      ['cost', 5],
    ])
  })
})

test('a field of a connection gets arguments and a size, at the root up to 100 rows', () => {
  const size =
    '@listSize(assumedSize: 20, slicingArguments: ["first", "last"], sizedFields: ["edges", "nodes"], requireOneSlicingArgument: false)'
  const args =
    '( first: Int after: String last: Int before: String filter: OrderFilter orderBy: [OrderOrder!] )'
  expect(bare(expanded, 'Query').replace(/ +/g, ' ')).toBe(
    `type Query { orders${args}: OrderConnection @authenticated ${size} ${summaryField} }`,
  )
  expect(shown(expanded, 'Query')).toContain('"How many to return from the front: 1 to 100;')
  expect(shown(expanded, 'Buyer')).toContain('"How many to return from the front: 1 to 50;')
})

test('arguments that are written stay, and those it lacks come behind; without marks there is neither filter nor order', () => {
  const sdl = `type Query { things("Own." query: String! "How many." first: Int = 5): ThingConnection @public } type Thing { id: ID! }`
  expect(bare(expand(written(sdl)), 'Query')).toContain(
    'things( query: String! first: Int = 5 after: String last: Int before: String ): T',
  )
  expect(shown(expand(written(sdl)), 'Query')).not.toMatch(/filter|orderBy/)
})

test('marks and their definitions are gone, and what search looks into is told apart', () => {
  expect(print(expanded)).not.toMatch(/@(filter|order|search|group|measure)\b(?!:)/)
  expect(searchedFields(written(order)).get('Order')).toEqual(['orderNumber', 'isoCode2'])
})

test('a payload says what became of the record, an input names it, common codes come before own ones', () => {
  expect(bare(expanded, 'PlaceOrderPayload', 'CancelOrderInput')).toBe(
    'type PlaceOrderPayload { order: Order userErrors: [ShopUserError!]! } input CancelOrderInput { id: ID! expectedVersion: Int! }',
  )
  expect(shown(expanded, 'PlaceOrderPayload')).toContain('The new order; null when none was added.')
  expect(shown(expanded, 'CancelOrderPayload')).toContain(
    'The order as it is now; null when nothing was changed.',
  )
  expect(shown(expanded, 'DiscardOrderPayload')).toContain(
    'The order as it was last; null when nothing was changed.',
  )
  expect(bare(expanded, 'ShopUserErrorCode')).toBe(
    'enum ShopUserErrorCode { NOT_FOUND STALE_VERSION DUPLICATE INVALID REFERENCE_NOT_FOUND IN_USE IDEMPOTENCY_KEY_REUSED SOLD_OUT }',
  )
  expect(bare(expanded, 'ShopUserError')).toBe(
    'type ShopUserError implements UserError { code: ShopUserErrorCode! message: String! field: [String!] }',
  )
})

test.each([
  ['OrderFilter', 'input OrderFilter { mine: Boolean }'],
  ['OrderOrderField', 'enum OrderOrderField { MINE }'],
  ['OrderConnection', 'type OrderConnection { mine: Int }'],
  ['OrderEdge', 'type OrderEdge { mine: Int }'],
  ['CancelOrderPayload', 'type CancelOrderPayload { mine: Int }'],
  ['CancelOrderInput', 'input CancelOrderInput { mine: Int }'],
  ['ShopUserError', 'type ShopUserError { mine: Int }'],
])('%s that is written by hand wins', (name, sdl) => {
  expect(bare(expand(written(order + sdl)), name)).toBe(sdl)
})

test('an input marked @change begins with the record and its version; what is written of them stays', () => {
  const inputs = (sdl: string) => bare(expand(written(order + sdl)), 'UpdateOrderInput', 'HaltSaleInput')
  expect(inputs('"What to change." input UpdateOrderInput @change { buyerId: ID }')).toBe(
    'input UpdateOrderInput { id: ID! expectedVersion: Int! buyerId: ID }',
  )
  expect(inputs('input HaltSaleInput @change { reason: String "UUID of the draft." id: ID! }')).toBe(
    'input HaltSaleInput { id: ID! expectedVersion: Int! reason: String }',
  )
  const document = expand(written(`${order} "What." input UpdateOrderInput @change { buyerId: ID }`))
  expect(shown(document, 'UpdateOrderInput')).toBe(`"What."
input UpdateOrderInput {
  "UUID of the order."
  id: ID!
  "The \`version\` that the change is based on."
  expectedVersion: Int!
  buyerId: ID
}`)
  expect(print(document)).not.toContain('directive @change')
  // About a record that there is, so its payload does not speak of a new one.
  const renewal = `${order} extend type Mutation { renewOrder(input: RenewOrderInput!): RenewOrderPayload! @authenticated }
    input RenewOrderInput @change { until: Date }`
  expect(shown(expand(written(renewal)), 'RenewOrderPayload')).toContain('The order as it is now;')
})

test('an update that nobody writes the input of takes what create takes, and nothing of it must be given', () => {
  const update = `${order} extend type Mutation { updateOrder(input: UpdateOrderInput!): UpdateOrderPayload! @authenticated }
    input CreateOrderInput { "Who orders it." buyerId: ID! tags: [String!]! = [] note: String @multiline }`
  const document = expand(written(update))
  expect(shown(document, 'UpdateOrderInput'))
    .toBe(`"What to change of an order. Omitted fields stay as they are; null empties a field that may be empty."
input UpdateOrderInput {
  "UUID of the order."
  id: ID!
  "The \`version\` that the change is based on."
  expectedVersion: Int!
  "Who orders it."
  buyerId: ID
  tags: [String!]
  note: String @multiline
}`)
  expect(shown(document, 'UpdateOrderPayload')).toContain('The order as it is now;')
  const own = 'input UpdateOrderInput { mine: Boolean }'
  expect(bare(expand(written(`${update} ${own}`)), 'UpdateOrderInput')).toBe(own)
})

test('an extension adds to a derived form', () => {
  const document = expand(written(`${order} extend input OrderFilter { mine: Boolean }`))
  expect(bare(document, 'OrderFilter')).toMatch(/input OrderFilter \{.* not: OrderFilter \}$/)
  expect(bare(document, 'OrderFilter')).toContain('extend input OrderFilter { mine: Boolean }')
})

test('expanding again changes nothing, and what defines no marks is never changed', () => {
  expect(expand(expanded)).toBe(expanded)
  const foreign = parse('type Query { as: AConnection } type A { id: ID! } type AConnection { nodes: [A] }')
  expect(expand(foreign)).toBe(foreign)
})

test('the source is never changed', () => {
  const source = written(order)
  const text = print(source)
  const freeze = (value: unknown, seen = new Set<unknown>()): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return
    seen.add(value)
    Object.values(Object.freeze(value)).forEach((part) => freeze(part, seen))
  }
  freeze(source)
  expect(print(expand(source))).toBe(print(expanded))
  expect(print(source)).toBe(text)
})

test('every derived node is at the place of what it is derived from', () => {
  const lineOf = (node: { loc?: DefinitionNode['loc'] }) =>
    getLocation(node.loc!.source, node.loc!.start).line
  const line = (text: string) => order.split('\n').findIndex((one) => one.includes(text)) + 1
  const find = (name: string) => expanded.definitions.find((node) => nameOf(node) === name)!
  expect(lineOf(find('OrderConnection'))).toBe(line('orders: OrderConnection'))
  expect(lineOf(find('CancelOrderPayload'))).toBe(line('cancelOrder'))
  expect(lineOf(find('ShopUserError'))).toBe(line('enum ShopUserErrorCode'))
  const filter = find('OrderFilter') as { fields?: readonly { name: { value: string }; loc?: never }[] }
  expect(filter.fields!.map((field) => [field.name.value, lineOf(field)])).toEqual([
    ['search', line('orderNumber')],
    ['orderNumber', line('orderNumber')],
    ['status', line('status:')],
    ['buyerId', line('buyer:')],
    ['total', line('total:')],
    ['isPaid', line('isPaid')],
    ['placedAt', line('placedAt')],
    ['and', line('orderNumber')],
    ['or', line('orderNumber')],
    ['not', line('orderNumber')],
  ])
})

const thing = (field: string) =>
  `type Thing @key(fields: "id") { ${field} } type Other @key(fields: "id") { id: ID! }`
const mutation = (field: string) => `type Mutation { ${field} } type Thing { id: ID! } enum ShopUserErrorCode`
const refused: [string, string, string, string][] = [
  [
    'a filter over a field with an access rule',
    thing('a: String @requiresScopes(scopes: [["x"]]) @filter'),
    '@filter',
    'Thing.a: @filter would tell the value to those whom its access rule refuses: take @filter away',
  ],
  ['an order over one', thing('a: Int @policy(policies: [["x"]]) @order'), '@order', 'take @order away'],
  ['a search in one', thing('a: String @authenticated @search'), '@search', 'take @search away'],
  ['a group by one', thing('a: Int @authenticated @group'), '@group', 'take @group away'],
  [
    'a measure of one',
    thing('a: Int @authenticated @measure'),
    '@measure',
    'give @measure minGroup and scopes',
  ],
  [
    'a measure for nobody',
    thing('a: Int @measure(minGroup: 5)'),
    '@measure',
    'takes minGroup and scopes together',
  ],
  ['a group of one', thing('a: Int @measure(minGroup: 1, scopes: [["a:b:c"]])'), '@measure', 'is at least 2'],
  ['a filter over JSON', thing('a: JSON @filter'), '@filter', 'a field of type JSON cannot carry @filter'],
  ['a filter over a list', thing('a: [String!]! @filter'), '@filter', 'type [String] cannot carry @filter'],
  ['a search in a number', thing('a: Int @search'), '@search', 'type Int cannot carry @search'],
  ['an order by an entity', thing('a: Other @order'), '@order', 'type Other cannot carry @order'],
  ['a measure of a text', thing('a: String @measure'), '@measure', 'type String cannot carry @measure'],
  ['money by another name', thing('a: Money @filter(as: "b")'), '@filter', 'write @filter without as'],
  ['Q3 an order by money without its filter', thing('a: Money @order'), '@order', 'write @filter as well'],
  ['a condition twice', thing('a: ID @filter b: ID @filter(as: "a")'), 'b: ID', 'would have a twice'],
  [
    'Q1 a summary of what has no marks',
    'type Query { thingSummary: ThingSummary } type Thing { id: ID! }',
    'ThingSummary',
    'ThingSummary has nothing to tell: mark fields of Thing with @group or @measure',
  ],
  [
    'Q1 a summary below the root',
    'type Thing { id: ID! a: Int @measure } type Other { things: ThingSummary }',
    'ThingSummary',
    'ThingSummary is a field of Query',
  ],
  [
    'a mark at the root',
    'type Query { a: Int @filter }',
    '@filter',
    '@filter marks fields of rows, not of Query',
  ],
  ['a mark on an interface', 'interface I { a: Int @filter }', '@filter', 'not of I'],
  [
    'a payload whose mutation names no type',
    mutation('signIn: SignInPayload!'),
    'SignInPayload',
    'SignInPayload is neither written nor derived: signIn is not a verb of one word and a type',
  ],
  [
    'a verb of two words, whose noun a new type would change',
    mutation('updatePurchaseThing: UpdatePurchaseThingPayload!'),
    'UpdatePurchaseThingPayload',
    'is neither written nor derived',
  ],
  [
    'the input of a new record',
    mutation('createThing(input: CreateThingInput!): CreateThingPayload!'),
    'CreateThingInput',
    'CreateThingInput must be written: it says what a new record is made of',
  ],
  [
    'a change of a record that the name does not tell',
    'input HaltSaleInput @change { reason: String }',
    '@change',
    'HaltSaleInput is not named like a verb and a type: write `id: ID!` and what it is of',
  ],
  [
    'a payload without user errors',
    'type Mutation { closeThing: CloseThingPayload! } type Thing { id: ID! }',
    'CloseThingPayload',
    'write an enum that ends in UserErrorCode',
  ],
]

test.each(refused)('%s is refused with its place', (_what, sdl, at, message) => {
  let error: unknown
  try {
    readSdl(sources(sdl))
  } catch (caught) {
    error = caught
  }
  expect(error).toBeInstanceOf(SdlError)
  const text = (error as SdlError).message
  expect(text).toContain(message)
  expect(text.startsWith(`schema/shop/order.graphql:1:${sdl.indexOf(at) + 1} `)).toBe(true)
})
