import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { Source, type DocumentNode } from 'graphql'
import { parseSdl, readSdl, SdlError } from '../../kernel/schema/sdl'
import { Fault } from '../fault'

/** A subgraph's schema with the files it was read from. */
export interface SubgraphSource {
  name: string
  url?: string
  /** Parsed when it is first asked for where {@link sources} are given. */
  typeDefs: DocumentNode
  /** The texts of the whole schema; those that typeDefs name when not given. */
  sources?: readonly Source[]
}

/** The file whose types every subgraph of a folder has. */
const sharedFile = 'shared.graphql'
/** Files of a schema folder that are no subgraphs. */
const notSubgraphs = new Set([sharedFile, 'supergraph.graphql', 'api.graphql'])

/**
 * Reads a schema folder: `shared.graphql`, and for each subgraph a file `<name>.graphql` or a folder `<name>/` of
 * such files. Names in syntax errors and locations are relative to the current directory.
 *
 * @throws Fault when the folder has no subgraph; each subgraph throws one when a file does not parse
 */
export function readSubgraphFolder(folder: string): SubgraphSource[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new Fault(`There is no folder ${folder}: name the schema folder with --schema`)
  // A project's folder would pass for a schema whose one subgraph is the folder with all of them.
  if (graphqlFiles(folder).length === 0 && existsSync(join(folder, 'schema', sharedFile)))
    throw new Fault(
      `${folder} has no subgraphs itself: name the folder with the subgraphs, ${join(folder, 'schema')}`,
    )
  const shared = existsSync(join(folder, sharedFile)) ? [readSource(join(folder, sharedFile))] : []
  const subgraphs = readdirSync(folder, { withFileTypes: true })
    .flatMap((entry): SubgraphSource[] => {
      const path = join(folder, entry.name)
      if (entry.isFile() && entry.name.endsWith('.graphql') && !notSubgraphs.has(entry.name)) {
        return [subgraphOf(basename(entry.name, '.graphql'), [...shared, readSource(path)])]
      }
      const files = entry.isDirectory() ? graphqlFiles(path) : []
      return files.length > 0 ? [subgraphOf(entry.name, [...shared, ...files.map(readSource)])] : []
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  if (subgraphs.length === 0)
    throw new Fault(`${folder} has no subgraph: each is a file <name>.graphql or a folder <name>/`)
  return subgraphs
}

/** Reads one subgraph from a file or a folder of files. */
export function readSubgraph(name: string, path: string): SubgraphSource {
  if (!existsSync(path)) throw new Fault(`There is no file ${path} for the subgraph ${name}`)
  const files = statSync(path).isDirectory() ? graphqlFiles(path) : [path]
  return subgraphOf(name, files.map(readSource))
}

/**
 * Asks a running subgraph for its schema: `{ _service { sdl } }`, as federation specifies it.
 * @param headers sent along, for services that want to know who asks
 */
export async function fetchSubgraph(
  name: string,
  url: string,
  headers: Record<string, string> = {},
): Promise<SubgraphSource> {
  let text: string
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query: '{ _service { sdl } }' }),
      signal: AbortSignal.timeout(10_000),
    })
    text = await response.text()
  } catch (error) {
    throw new Fault(
      `The subgraph ${name} does not answer at ${url}: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
  const sdl = sdlOf(text)
  if (sdl === null)
    throw new Fault(
      `The subgraph ${name} at ${url} did not answer { _service { sdl } }: ${text.slice(0, 200)}`,
    )
  return { name, url, typeDefs: parseText(sdl, url) }
}

/** A subgraph of texts, which are parsed and written out when their definitions are first asked for. */
export function subgraphOf(name: string, sources: readonly Source[], url?: string): SubgraphSource {
  let typeDefs: DocumentNode | undefined
  return {
    name,
    url,
    sources,
    get typeDefs() {
      return (typeDefs ??= orFault(() => readSdl(sources)))
    },
  }
}

/** @throws Fault with file, line and column when the text is no GraphQL */
export function parseText(text: string, name: string): DocumentNode {
  return orFault(() => parseSdl(new Source(text, name)))
}

function orFault(read: () => DocumentNode): DocumentNode {
  try {
    return read()
  } catch (error) {
    throw error instanceof SdlError ? new Fault(error.message) : error
  }
}

function sdlOf(answer: string): string | null {
  try {
    const { data } = JSON.parse(answer) as { data?: { _service?: { sdl?: unknown } } }
    return typeof data?._service?.sdl === 'string' ? data._service.sdl : null
  } catch {
    return null
  }
}

function readSource(path: string): Source {
  return new Source(readFileSync(path, 'utf8'), relative(process.cwd(), path))
}

function graphqlFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.graphql'))
    .sort()
    .map((name) => join(folder, name))
}
