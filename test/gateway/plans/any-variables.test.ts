import { buildSchema, getVariableValues, parse, type OperationDefinitionNode } from 'graphql'
import { anyScalar, anyVariables } from '../../../gateway/plans/any-variables'

const schema = buildSchema(`
  type Query { a: Int, f: Float }
  scalar Date
  enum Colour { RED BLUE }
  input Inner { name: String!, more: Inner }
  input Outer { inner: Inner!, colours: [Colour!]!, size: Int! = 3, note: String }
  input Either @oneOf { id: ID, name: String }
`)

test('variables get the least that the planner accepts for them', () => {
  const document =
    parse(`query ($i: Int!, $f: Float!, $b: Boolean!, $s: String!, $id: ID!, $date: Date!, $colour: Colour!,
    $list: [Inner!]!, $outer: Outer!, $either: Either!, $given: Int! = 1, $optional: Outer) { a }`)
  const values = anyVariables(schema, document)
  expect(values).toEqual({
    i: 0,
    f: 0,
    b: false,
    s: '',
    id: '',
    date: anyScalar,
    colour: 'RED',
    list: [],
    outer: { inner: { name: '' }, colours: [] },
    either: { id: '' },
  })
  const { variableDefinitions = [] } = document.definitions[0] as OperationDefinitionNode
  expect(getVariableValues(schema, variableDefinitions, values).errors).toBeUndefined()
  expect(anyVariables(schema, parse('{ a }'))).toEqual({})
})
