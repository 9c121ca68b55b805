import { concatAST, GraphQLError, parse, type DocumentNode, type Source } from 'graphql'
import { expand } from './expand'

/** A fault in a schema file; its message begins with file, line and column. */
export class SdlError extends Error {
  override readonly name = 'SdlError'
}

const parsed = new WeakMap<Source, DocumentNode>()

/**
 * Parses a text, once for each Source: all subgraphs have the shared one.
 * @throws SdlError when it is no GraphQL
 */
export function parseSdl(source: Source): DocumentNode {
  const known = parsed.get(source)
  if (known) return known
  const document = withPlace(() => parse(source), source.name)
  parsed.set(source, document)
  return document
}

/**
 * The schema of a subgraph from the texts of its files, as {@link expand} writes it out.
 * @throws SdlError when one is no GraphQL, or something cannot be derived
 */
export function readSdl(sources: readonly Source[]): DocumentNode {
  const document = concatAST(sources.map(parseSdl))
  return withPlace(() => expand(document))
}

function withPlace(read: () => DocumentNode, file?: string): DocumentNode {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error
    const at = error.locations?.[0]
    // What expanding refuses says the place itself.
    throw new SdlError(
      file ? `${file}:${at?.line ?? 1}:${at?.column ?? 1} ${error.message}` : error.message,
      {
        cause: error,
      },
    )
  }
}
