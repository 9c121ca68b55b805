import { join } from 'node:path'
import ts from 'typescript'
import { projectRoot } from '../../kernel/process/project-root'
import { subgraphNames } from '../../kernel/schema/subgraph-names'

/** Compiles texts as if they were resolvers of subgraphs, in one go, and returns what the compiler says of each. */
function complaints(texts: readonly { subgraph: string; text: string }[]): string[][] {
  const { config } = ts.readConfigFile(join(projectRoot, 'tsconfig.json'), ts.sys.readFile) as {
    config: object
  }
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, projectRoot)
  const files = new Map(
    texts.map(({ subgraph, text }, place) => [
      join(projectRoot, 'subgraphs', subgraph, 'resolvers', `tried-${place}.ts`),
      text,
    ]),
  )
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.fileExists = (file) => files.has(file) || fileExists(file)
  host.getSourceFile = (file, version) => {
    const text = files.get(file)
    return text === undefined ? getSourceFile(file, version) : ts.createSourceFile(file, text, version)
  }
  const program = ts.createProgram([...files.keys()], { ...options, noEmit: true }, host)
  return [...files.keys()].map((file) =>
    program
      .getSemanticDiagnostics(program.getSourceFile(file))
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n').split('\n')[0]!),
  )
}

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
}, 120_000)
