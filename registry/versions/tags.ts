import type { AppliedDirective, SchemaModel } from '../schema-model'

/** Everything in a schema that carries a `@tag`, by coordinate. @param except types to pass over */
export function* tagsOf(
  schema: SchemaModel,
  except: ReadonlySet<string> = new Set(),
): Generator<{ coordinate: string; tags: ReadonlySet<string> }> {
  for (const type of schema.types.values()) {
    if (except.has(type.name)) continue
    yield* tagged(type.name, type)
    for (const field of type.fields.values()) {
      const coordinate = `${type.name}.${field.name}`
      yield* tagged(coordinate, field)
      for (const argument of field.args.values()) yield* tagged(`${coordinate}(${argument.name}:)`, argument)
    }
    for (const field of type.inputFields.values()) yield* tagged(`${type.name}.${field.name}`, field)
    for (const value of type.values.values()) yield* tagged(`${type.name}.${value.name}`, value)
  }
}

/** The names of the tags something carries. */
export function tagNames(of: { directives: readonly AppliedDirective[] }): ReadonlySet<string> {
  return new Set(
    of.directives.flatMap(({ name, args }) =>
      name === 'tag' && typeof args['name'] === 'string' ? [args['name']] : [],
    ),
  )
}

function* tagged(coordinate: string, of: { directives: readonly AppliedDirective[] }) {
  const tags = tagNames(of)
  if (tags.size > 0) yield { coordinate, tags }
}
