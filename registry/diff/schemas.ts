import type { ArgumentModel, SchemaModel } from '../schema-model'

/** The schema before and after. */
export interface Schemas {
  from: SchemaModel
  to: SchemaModel
}

/** Every argument and input field of a schema by its coordinate. */
export function inputsOf(schema: SchemaModel): ReadonlyMap<string, ArgumentModel> {
  const found = new Map<string, ArgumentModel>()
  for (const type of schema.types.values()) {
    for (const field of type.fields.values())
      for (const input of field.args.values()) found.set(`${type.name}.${field.name}(${input.name}:)`, input)
    for (const input of type.inputFields.values()) found.set(`${type.name}.${input.name}`, input)
  }
  for (const { name, args } of schema.directives.values())
    for (const input of args.values()) found.set(`@${name}(${input.name}:)`, input)
  return found
}
