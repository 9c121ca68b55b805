import { join } from 'node:path'
import ts from 'typescript'
import { projectRoot } from '../../kernel/process/project-root'
import { subgraphNames } from '../../kernel/schema/subgraph-names'

/** Compiles a text as if it were a file of a subgraph's resolvers, and returns what the compiler says of it. */
function complaints(subgraph: string, text: string): string[] {
  const { config } = ts.readConfigFile(join(projectRoot, 'tsconfig.json'), ts.sys.readFile) as {
    config: object
  }
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, projectRoot)
  const name = join(projectRoot, 'subgraphs', subgraph, 'resolvers', 'tried.ts')
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.fileExists = (file) => file === name || fileExists(file)
  host.getSourceFile = (file, version) =>
    file === name ? ts.createSourceFile(file, text, version) : getSourceFile(file, version)
  const program = ts.createProgram([name], { ...options, noEmit: true }, host)
  return program
    .getSemanticDiagnostics(program.getSourceFile(name))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n').split('\n')[0]!)
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

test('P3: a code that the subgraph does not declare does not compile, and one that it declares does', () => {
  expect(complaints('hr', resolver('DEPARTMENT_CLOSED'))).toEqual([])
  expect(complaints('hr', resolver('DEPARTMENT_CLOSD'))).toEqual([
    expect.stringMatching(/^Argument of type '"DEPARTMENT_CLOSD"' is not assignable to parameter of type/),
  ])
}, 120_000)

test.each(subgraphNames)(
  'P3: a helper of %s that fails must say with which codes',
  (subgraph) => {
    const type = `${subgraph[0]!.toUpperCase()}${subgraph.slice(1)}UserErrorCode`
    const helper = (transaction: string, code: string) => `
    import type { MutationTransaction } from '../../../kernel/mutate'
    import type { ${type} } from '../generated'
    export type Codes = ${type}
    export const tried = (tx: ${transaction}) => tx.fail('${code}', 'no')`
    expect(complaints(subgraph, helper(`MutationTransaction<${type}>`, 'NOT_FOUND'))).toEqual([])
    expect(complaints(subgraph, helper('MutationTransaction', 'NOT_FOUND'))).toHaveLength(1)
    expect(complaints(subgraph, helper(`MutationTransaction<${type}>`, 'NOT_FOUNT'))).toHaveLength(1)
  },
  120_000,
)
