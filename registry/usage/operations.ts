import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Kind, type DocumentNode, type GraphQLError } from 'graphql'
import { validate } from 'graphql'
import { apiSchema } from '../api-schema'
import { locationOf, type Location } from '../composition/locations'
import type { SchemaModel } from '../schema-model'
import { parseText } from '../composition/subgraph-files'

/** A file of operations that the product's own clients send. */
export interface OperationFile {
  /** Relative to the current directory. */
  file: string
  text: string
  document: DocumentNode
}

export interface OperationFault {
  /** Name of the operation or fragment; empty when it has none. */
  operation: string
  message: string
  location: Location | null
}

/** Reads all `.graphql` files in a folder and below; none when it does not exist. @throws Fault on a syntax error */
export function readOperations(folder: string): OperationFile[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .sort()
    .flatMap((name): OperationFile[] => {
      const path = join(folder, name)
      if (statSync(path).isDirectory()) return readOperations(path)
      if (!name.endsWith('.graphql')) return []
      const file = relative(process.cwd(), path)
      const text = readFileSync(path, 'utf8')
      return [{ file, text, document: parseText(text, file) }]
    })
}

/** Returns what is wrong with operations under a schema. Each file stands alone: its fragments are its own. */
export function operationFaults(schema: SchemaModel, files: readonly OperationFile[]): OperationFault[] {
  if (files.length === 0) return []
  const api = apiSchema(schema)
  return files.flatMap(({ document }) =>
    validate(api, document).map((error) => ({
      operation: enclosing(document, error),
      message: error.message,
      location: locationOf(error.nodes?.[0]),
    })),
  )
}

/** The name of the definition an error lies in. */
function enclosing(document: DocumentNode, error: GraphQLError): string {
  const at = error.nodes?.[0]?.loc?.start ?? -1
  const around = document.definitions.find(({ loc }) => loc && loc.start <= at && at < loc.end)
  return around && (around.kind === Kind.OPERATION_DEFINITION || around.kind === Kind.FRAGMENT_DEFINITION)
    ? (around.name?.value ?? '')
    : ''
}
