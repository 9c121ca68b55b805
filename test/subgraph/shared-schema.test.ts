import { composeServices } from '@apollo/composition'
import { Kind, parse, visit, type ASTNode } from 'graphql'
import { subgraphNames } from '../../kernel/schema/subgraph-names'
import { readTypeDefs } from '../../kernel/schema/sdl-files'
import { scalars } from '../../kernel/schema/scalars'
import { define } from '../authorize/three-subgraphs'

const shared = define('hr', 'type Query { a: Int @public }', {}).typeDefs

/** A small subgraph that uses the shared types the way all do. */
const small = (name: string) => `
  "A thing." type ${name}Thing @key(fields: "id") @requiresScopes(scopes: [["${name}:thing:read"]]) {
    "Id." id: ID!
    "Price." price: Money
  }
  "Why not." type ${name}UserError implements UserError {
    "What." message: String!
    "Where." field: [String!]
  }
  "Answer." type ${name}Payload { "Why not." userErrors: [UserError!]! }
  "A page." type ${name}Connection { "Where it stands." pageInfo: PageInfo! "Rows." nodes: [${name}Thing!]! }
  "A filter." input ${name}Filter { "Text." text: StringFilter "Id." id: IDFilter "Price." price: MoneyInput }
  type Query {
    "Things."
    ${name}Things("How many." first: Int = 20, "Which." filter: ${name}Filter, "How." direction: OrderDirection, "How long." per: TimeBucket): ${name}Connection
      @requiresScopes(scopes: [["${name}:thing:read"]])
      @listSize(slicingArguments: ["first"], sizedFields: ["nodes"], requireOneSlicingArgument: false)
    "Open." ${name}Open: Boolean @public
  }
  type Mutation { "Does." ${name}Do: ${name}Payload @authenticated }`

test('six subgraphs with the shared schema compose without a hint', () => {
  const { errors, hints, supergraphSdl } = composeServices(
    subgraphNames.map((name) => ({
      name,
      url: `http://${name}`,
      typeDefs: define(name, small(name), {}).typeDefs,
    })),
  )
  expect(errors).toBeUndefined()
  expect(hints).toEqual([])
  const composed = parse(supergraphSdl!)
  const open: string[] = []
  visit(composed, {
    FieldDefinition(node) {
      if (node.directives?.some(({ name }) => name.value === 'public')) open.push(node.name.value)
    },
  })
  expect(open.sort()).toEqual(subgraphNames.map((name) => `${name}Open`).sort())
})

test('every type, field, argument and value of it is described, every scalar specified and implemented', () => {
  const undescribed: string[] = []
  const implemented: string[] = []
  const described = (node: ASTNode & { description?: unknown; name: { value: string } }) => {
    if (!node.description && node.name.value !== 'Query' && node.name.value !== 'a')
      undescribed.push(node.name.value)
  }
  visit(shared, {
    ObjectTypeDefinition: described,
    InterfaceTypeDefinition: described,
    InputObjectTypeDefinition: described,
    EnumTypeDefinition: described,
    EnumValueDefinition: described,
    DirectiveDefinition: described,
    FieldDefinition: described,
    InputValueDefinition: described,
    ScalarTypeDefinition(node) {
      described(node)
      if (node.directives?.some(({ name }) => name.value === 'specifiedBy')) implemented.push(node.name.value)
    },
  })
  expect(undescribed).toEqual([])
  expect(implemented.sort()).toEqual(Object.keys(scalars).sort())
})

test('every subgraph of the product begins with it', () => {
  const names = (definitions: readonly ASTNode[]) =>
    definitions.map((node) =>
      'name' in node && node.name && 'value' in node.name ? node.name.value : node.kind,
    )
  const common = names(shared.definitions.filter((node) => !('name' in node) || node.name?.value !== 'Query'))
  expect(common[0]).toBe(Kind.SCHEMA_DEFINITION)
  for (const name of subgraphNames)
    expect(names(readTypeDefs(name).definitions).slice(0, common.length)).toEqual(common)
})
