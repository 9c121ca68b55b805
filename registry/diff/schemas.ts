import type { ArgumentModel, SchemaModel } from '../schema-model'

/** The schema before and after. */
export interface Schemas {
  from: SchemaModel
  to: SchemaModel
}

const inputs = new WeakMap<SchemaModel, ReadonlyMap<string, ArgumentModel>>()

/** Every argument and input field of a schema by its coordinate. Read once: each change of an input asks for them. */
export function inputsOf(schema: SchemaModel): ReadonlyMap<string, ArgumentModel> {
  const known = inputs.get(schema)
  if (known) return known
  const found = new Map<string, ArgumentModel>()
  for (const type of schema.types.values()) {
    for (const field of type.fields.values())
      for (const input of field.args.values()) found.set(`${type.name}.${field.name}(${input.name}:)`, input)
    for (const input of type.inputFields.values()) found.set(`${type.name}.${input.name}`, input)
  }
  for (const { name, args } of schema.directives.values())
    for (const input of args.values()) found.set(`@${name}(${input.name}:)`, input)
  inputs.set(schema, found)
  return found
}
