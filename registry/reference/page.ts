import type { OperationFile } from '../operations'
import type { SchemaModel } from '../schema-model'

/** placeholder */
export function referencePage(
  _schema: SchemaModel,
  _examples: readonly OperationFile[],
  _title: string,
): string {
  return ''
}
