import {
  Kind,
  print,
  separateOperations,
  visit,
  type DocumentNode,
  type OperationDefinitionNode,
} from 'graphql'
import { Fault } from '../fault'
import type { OperationFile } from './operations'
import { contentHash } from '../versions/store'

/** One operation of a file, with the fragments it needs and nothing else. */
export interface NamedOperation {
  name: string
  type: 'query' | 'mutation' | 'subscription'
  /** SHA-256 of the body, hexadecimal. */
  id: string
  body: string
  document: DocumentNode
  file: string
}

/** All operations of the files by name. @throws Fault when one has no name, or two have the same */
export function namedOperations(files: readonly OperationFile[]): NamedOperation[] {
  const found = new Map<string, NamedOperation>()
  for (const { file, document } of files) {
    for (const definition of document.definitions) {
      if (definition.kind === Kind.OPERATION_DEFINITION && !definition.name)
        throw new Fault(`${file}: every operation needs a name`)
    }
    for (const [name, single] of Object.entries(separateOperations(document))) {
      const other = found.get(name)
      if (other) throw new Fault(`${file}: the operation ${name} is in ${other.file} too`)
      const operation = single.definitions.find(
        (node): node is OperationDefinitionNode => node.kind === Kind.OPERATION_DEFINITION,
      )
      const body = print(single)
      if (operation)
        found.set(name, {
          name,
          type: operation.operation,
          id: contentHash(body),
          body,
          document: withoutPlaces(single),
          file,
        })
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/**
 * The manifest of persisted documents, in the form Apollo's tools write and read (format
 * `apollo-persisted-query-manifest`, version 1).
 */
export function persistedDocuments(operations: readonly NamedOperation[]): string {
  const manifest = {
    format: 'apollo-persisted-query-manifest',
    version: 1,
    operations: operations.map(({ id, name, type, body }) => ({ id, name, type, body })),
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}

function withoutPlaces(document: DocumentNode): DocumentNode {
  return visit(document, { enter: (node) => ({ ...node, loc: undefined }) })
}
