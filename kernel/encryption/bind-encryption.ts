import type { EncryptedColumn, EntityModel } from '../schema/entity-model'
import type { SubgraphDefinition } from '../schema/subgraph-definition'
import { sensitiveClasses } from '../sensitive/classes'

/** Types of columns that hold an encrypted value: its text, or JSON of the same kind as the value's. */
const textTypes: ReadonlySet<string> = new Set(['text', 'varchar', 'character varying'])

/**
 * Tells a model which of its columns are encrypted: those of fields whose class demands it, and the subgraph's `secrets`.
 * A property `phone` is looked up by the column of the property `phoneIndex`, where there is one.
 * @returns what cannot be encrypted
 */
export function bindEncryption(model: EntityModel, definition: SubgraphDefinition): string[] {
  const { sensitive, secrets, erasable } = definition
  const demanded = [...(sensitive.get(model.name) ?? [])]
    .filter(([, name]) => sensitiveClasses[name].encrypted)
    .map(([field]) => field)
  const encrypted = new Map<string, EncryptedColumn>()
  const faults: string[] = []
  for (const property of [...demanded, ...(secrets[model.name] ?? [])]) {
    const column = model.columns.get(property)
    const isJson = column?.type === 'jsonb'
    if (!column || !(isJson || textTypes.has(column.type)) || !model.tenantOwned)
      faults.push(
        `${model.name}.${property} is to be encrypted: make it one column of text or jsonb of a tenant's row`,
      )
    else
      encrypted.set(property, {
        property,
        sql: column.sql,
        isJson,
        index: model.columns.get(`${property}Index`) ?? null,
      })
  }
  model.encrypted = encrypted
  model.isErasable = erasable.includes(model.name)
  return faults
}
