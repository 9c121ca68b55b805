import type { Change } from '../change'
import { namedType, type FieldModel, type SchemaModel, type TypeModel } from '../schema-model'
import { possibleTypes } from '../usage/vocabulary'
import { argumentChanges } from './inputs'
import type { Schemas } from './schemas'
import { documentedChanges } from './documented'
import { inputFits, isRequired, outputFits, sameWithoutNonNull } from './type-references'

/** Differences between the output fields of one type. */
export function fieldChanges(schemas: Schemas, before: TypeModel, after: TypeModel): Change[] {
  const changes: Change[] = []
  for (const field of before.fields.values()) {
    const coordinate = `${before.name}.${field.name}`
    const kept = after.fields.get(field.name)
    if (!kept) {
      const message = `${coordinate} was removed`
      changes.push({
        code: 'FIELD_REMOVED',
        severity: 'breaking',
        coordinate,
        message,
        from: field.type,
        affects: [coordinate],
      })
      continue
    }
    changes.push(
      ...documentedChanges(coordinate, field, kept),
      ...argumentChanges(schemas, coordinate, field.args, kept.args),
      ...(field.type === kept.type
        ? []
        : returnTypeChanges(schemas, coordinate, field, kept, siblings(schemas.from, before.name, field))),
    )
  }
  for (const field of after.fields.values()) {
    if (before.fields.has(field.name)) continue
    const coordinate = `${before.name}.${field.name}`
    changes.push({
      code: 'FIELD_ADDED',
      severity: 'safe',
      coordinate,
      message: `${coordinate} was added`,
      to: field.type,
      affects: [],
    })
  }
  return changes
}

function returnTypeChanges(
  schemas: Schemas,
  coordinate: string,
  before: FieldModel,
  after: FieldModel,
  alike: readonly string[],
): Change[] {
  const [from, to] = [before.type, after.type]
  const is = { coordinate, from, to }
  if (outputFits(from, to)) {
    return alike.length === 0
      ? [
          {
            ...is,
            code: 'FIELD_BECAME_NON_NULL',
            severity: 'safe',
            message: `${coordinate} was ${from} and is ${to} now`,
            affects: [],
          },
        ]
      : [
          {
            ...is,
            code: 'FIELD_MAY_CONFLICT',
            severity: 'dangerous',
            message: `${coordinate} was ${from} and is ${to} now, unlike ${alike.join(' and ')}: an operation that selects both under one name is refused`,
            affects: alike.map((other) => ({ all: [coordinate, other] })),
          },
        ]
  }
  // `User!` to `User` is what clients meet as an unexpected null; everything else is another type.
  return sameWithoutNonNull(from, to)
    ? [
        {
          ...is,
          code: 'FIELD_BECAME_NULLABLE',
          severity: 'breaking',
          message: `${coordinate} was ${from} and may be null now (${to})`,
          affects: [coordinate],
        },
      ]
    : [
        {
          ...is,
          code: 'FIELD_TYPE_CHANGED',
          severity: 'breaking',
          message: `${coordinate} returned ${from} and returns ${to} now`,
          affects: lostSelections(schemas, coordinate, from, to) ?? [coordinate],
        },
      ]
}

/**
 * Returns what an operation may select of the old type and not of the new one; null when all who read the field suffer.
 */
function lostSelections({ from, to }: Schemas, coordinate: string, was: string, is: string): string[] | null {
  const [before, after] = [from.types.get(namedType(was)), to.types.get(namedType(is))]
  const isComposite = (type: TypeModel | undefined) =>
    ['object', 'interface', 'union'].includes(type?.kind ?? '')
  if (!before || !after || !isComposite(before) || !isComposite(after)) return null
  if (!outputFits(was.replace(before.name, after.name), is)) return null
  const possible = possibleTypes(to, after.name)
  const fits = (field: FieldModel) => {
    const now = after.fields.get(field.name)
    return (
      now !== undefined &&
      outputFits(field.type, now.type) &&
      [...field.args].every(([name, { type }]) => inputFits(type, now.args.get(name)?.type ?? '')) &&
      [...now.args].every(([name, argument]) => field.args.has(name) || !isRequired(argument))
    )
  }
  return [
    // Never marked: when nothing is lost nobody suffers, which is not the same as nobody knows who.
    `${coordinate}/`,
    ...[...before.fields.values()].filter((field) => !fits(field)).map(({ name }) => `${coordinate}/${name}`),
    ...[...from.types.values()]
      .filter(({ name }) => ![...possibleTypes(to, name)].some((object) => possible.has(object)))
      .map(({ name }) => `${coordinate}/>${name}`),
  ]
}

/**
 * Fields of the same name and type in types that can stand beside this one, in an interface or union. Fragments on
 * both may select the name only while the types agree (GraphQL specification, 5.3.2 Field Selection Merging).
 */
function siblings(schema: SchemaModel, typeName: string, field: FieldModel): string[] {
  const found = new Set<string>()
  for (const abstract of schema.types.values()) {
    if (abstract.kind !== 'union' && abstract.kind !== 'interface') continue
    const possible =
      abstract.kind === 'union'
        ? [...abstract.members]
        : [...schema.types.values()]
            .filter(({ interfaces }) => interfaces.has(abstract.name))
            .map(({ name }) => name)
    if (!possible.includes(typeName)) continue
    for (const name of possible) {
      const other = name === typeName ? undefined : schema.types.get(name)?.fields.get(field.name)
      if (other && other.type === field.type && namedType(other.type) === namedType(field.type))
        found.add(`${name}.${field.name}`)
    }
  }
  return [...found].sort()
}
