import { join } from 'node:path'
import ts from 'typescript'
import { projectRoot } from '../../kernel/process/project-root'

/** Compiles texts as if they were resolvers of subgraphs, in one go, and returns what the compiler says of each. */
export function complaints(texts: readonly { subgraph: string; text: string }[]): string[][] {
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
