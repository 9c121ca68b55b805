import { subgraphNames } from '../../kernel/schema/subgraph-names'
import { complaints } from '../support/compile'

const resolver = (code: string) => `
  import { mutate } from '../../../kernel/mutate'
  import { Department } from '../entities/Department'
  import type { Resolvers } from '../generated'
  export const tried: Resolvers = {
    Mutation: {
      closeDepartment: (_, { input: { id } }, context) =>
        mutate(context, async (tx) => {
          const department = await tx.find(Department, id)
          if (!department.isActive) tx.fail('${code}', 'closed', 'id')
          return { department }
        }),
    },
  }`

function helper(subgraph: string, isNamed: boolean, code: string): string {
  const type = `${subgraph[0]!.toUpperCase()}${subgraph.slice(1)}UserErrorCode`
  return `
    import type { MutationTransaction } from '../../../kernel/mutate'
    import type { ${type} } from '../generated'
    export type Codes = ${type}
    export const tried = (tx: MutationTransaction${isNamed ? `<${type}>` : ''}) => tx.fail('${code}', 'no')`
}

const refusal = (code: string) => [
  expect.stringMatching(new RegExp(`^Argument of type '"${code}"' is not assignable to parameter of type`)),
]

test('P3: a code that the subgraph does not declare does not compile, in a resolver and in what it calls', () => {
  const cases = [
    { subgraph: 'hr', text: resolver('DEPARTMENT_CLOSED'), expected: [] },
    { subgraph: 'hr', text: resolver('DEPARTMENT_CLOSD'), expected: refusal('DEPARTMENT_CLOSD') },
    ...subgraphNames.flatMap((subgraph) => [
      { subgraph, text: helper(subgraph, true, 'NOT_FOUND'), expected: [] },
      { subgraph, text: helper(subgraph, true, 'NOT_FOUNT'), expected: refusal('NOT_FOUNT') },
      // Whoever fails says with which codes.
      { subgraph, text: helper(subgraph, false, 'NOT_FOUND'), expected: refusal('NOT_FOUND') },
    ]),
  ]
  expect(complaints(cases)).toEqual(cases.map(({ expected }) => expected))
})
