import {
  GraphQLError,
  Kind,
  Location,
  parse,
  Source,
  Token,
  TokenKind,
  type DefinitionNode,
  type DocumentNode,
} from 'graphql'
import { readSchema, type SchemaModel } from '../schema-model'

let last: { text: string; document: DocumentNode; model: SchemaModel } | undefined

/**
 * Reads a supergraph. The last one is kept: one check proves it, compares it and describes it. What it says in the same
 * words as the one before is not read again.
 */
export function readSupergraph(text: string): SchemaModel {
  if (last?.text === text) return last.model
  const document = (last && parsedBeside(last.document, text)) ?? parse(text)
  last = { text, document, model: readSchema(document) }
  return last.model
}

/** Reads what the next supergraph will be compared with, and prepares for reading only what that says differently. */
export function readBase(document: DocumentNode): SchemaModel {
  const model = readSchema(document)
  if (document.loc) last = { text: document.loc.source.body, document, model }
  definitionsOf(document)
  return model
}

const definitions = new WeakMap<DocumentNode, ReadonlyMap<string, DefinitionNode>>()

/** The definitions of a document by their text: those that end with a brace, so that nothing that follows is theirs. */
function definitionsOf(document: DocumentNode): ReadonlyMap<string, DefinitionNode> {
  let known = definitions.get(document)
  if (!known) {
    const byText = new Map<string, DefinitionNode>()
    for (const definition of document.definitions) {
      const { loc } = definition
      const text = loc?.source.body.slice(loc.start, loc.end)
      if (text?.endsWith('}')) byText.set(text, definition)
    }
    definitions.set(document, (known = byText))
  }
  return known
}

/**
 * Parses a text, and takes the definitions that a document has in the same words from there. It cuts the text where
 * printers put a blank line between definitions. A blank line of a description may look the same; but between two
 * definitions taken over, what is left is parsed on its own: if a description was cut, it is no GraphQL.
 *
 * @returns null then, and where nothing is the same
 */
export function parsedBeside(document: DocumentNode, text: string): DocumentNode | null {
  const known = definitionsOf(document)
  const found: DefinitionNode[] = []
  let taken = 0
  let rest: string[] = []
  function parseRest(): void {
    if (rest.length > 0) found.push(...parse(rest.join('\n\n')).definitions)
    rest = []
  }
  try {
    for (const piece of text.trimEnd().split(/\n\n(?=["a-z])/)) {
      const same = known.get(piece)
      if (!same) {
        rest.push(piece)
        continue
      }
      parseRest()
      found.push(same)
      taken++
    }
    parseRest()
  } catch (error) {
    if (error instanceof GraphQLError) return null
    throw error
  }
  if (taken === 0) return null
  const [start, end] = [
    new Token(TokenKind.SOF, 0, 0, 0, 0),
    new Token(TokenKind.EOF, text.length, text.length, 0, 0),
  ]
  return { kind: Kind.DOCUMENT, definitions: found, loc: new Location(start, end, new Source(text)) }
}
