import { Kind, valueFromASTUntyped, type DocumentNode, type FieldDefinitionNode } from 'graphql'
import type { Declarations } from '../access/access'
import { sensitiveClass, type SensitiveClassName } from './classes'

/** The classes that `@sensitive` gives to fields: by type, then by field. */
export type SensitiveFields = ReadonlyMap<string, ReadonlyMap<string, SensitiveClassName>>

/** The class that a field's `@sensitive` names, as it is written; undefined without. */
export function classNamed(field: FieldDefinitionNode): string | undefined {
  const mark = field.directives?.find(({ name }) => name.value === 'sensitive')
  const given = mark?.arguments?.find(({ name }) => name.value === 'class')
  return mark && String(given ? valueFromASTUntyped(given.value) : '')
}

/** The sensitive fields of a document as it was written, before its marks are taken out. */
export function sensitiveFields({ definitions }: DocumentNode): SensitiveFields {
  const types = new Map<string, Map<string, SensitiveClassName>>()
  for (const node of definitions) {
    if (node.kind !== Kind.OBJECT_TYPE_DEFINITION && node.kind !== Kind.OBJECT_TYPE_EXTENSION) continue
    for (const field of node.fields ?? []) {
      const name = classNamed(field)
      if (name === undefined) continue
      const fields = types.get(node.name.value) ?? new Map<string, SensitiveClassName>()
      types.set(node.name.value, fields.set(field.name.value, name as SensitiveClassName))
    }
  }
  return types
}

/** Returns which sensitive fields lack the access rule that their class demands; a subgraph with such does not start. */
export function sensitiveFaults(sensitive: SensitiveFields, declarations: Declarations): string[] {
  return [...sensitive].flatMap(([type, fields]) =>
    [...fields].flatMap(([field, name]) => {
      const declared = declarations.types.get(type)
      const own = declared?.fields.get(field)?.access?.requirements ?? []
      const ofType = declared?.access?.requirements ?? []
      const demanded = sensitiveClass(name)!.access
      if (own.length > 0 || (demanded === 'type' && ofType.length > 0)) return []
      const whose = demanded === 'field' ? 'of its own' : 'of its own or of its type'
      return [
        `${type}.${field} is ${name}, which needs an access rule ${whose}: add @requiresScopes or @policy`,
      ]
    }),
  )
}
