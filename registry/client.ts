import type { NamedOperation } from './manifest'
import type { SchemaModel } from './schema-model'

/** placeholder */
export function typedClient(_schema: SchemaModel, _operations: readonly NamedOperation[]): string {
  return ''
}
