import { namedType, type ArgumentModel, type SchemaModel } from '../schema-model'

/**
 * The marks of an operation: what it uses of a schema, in the one vocabulary that records, changes and people share.
 *
 * | Mark                                | The operation …                                                              |
 * | ----------------------------------- | ---------------------------------------------------------------------------- |
 * | `User`, `UserFilter`, `Role`        | reaches the type: selects, narrows to, names, sends or receives it           |
 * | `User.email`, `Query.users(first:)` | selects the field, gives the argument                                        |
 * | `UserFilter.name`, `Role.ADMIN`     | sends the input field or enum value, as a literal or in a variable           |
 * | `@skip`, `@skip(if:)`               | applies the directive, gives its argument                                    |
 * | `Query.users(-first:)`              | uses the field without the argument; `UserFilter.-name` the input without it |
 * | `Query.users(first:)=FORM`          | sends it in this form (forms.ts)                                             |
 * | `UserFilter{}`, `UserFilter{!1}`    | sends an object of the input; one that has not exactly one field             |
 * | `SearchResult>User`                 | narrows the one to the other                                                 |
 * | `{}`                                | was recorded with all marks about what it sent, without guessing             |
 *
 * Those that its text alone tells, and that no record keeps:
 *
 * | `$UserFilter`                       | names the type in a variable                                                 |
 * | `<Status`                           | selects a field that returns the type                                        |
 * | `~User.email`, `~User`              | may read it through an interface                                             |
 * | `Query.nodes/id`, `Query.nodes/>Bot`| selects the field of what the field returns, or narrows it                   |
 * | `@skip on FIELD`, `@skip twice`     | applies the directive there, or twice in one place                           |
 *
 * Values are no marks.
 */
export interface Vocabulary {
  /** Returns what an operation may find at an output field; undefined when the schema has none. */
  field(typeName: string, name: string): FieldMarks | undefined
  directive(name: string): ReadonlyMap<string, InputMarks>
  /** Returns what may stand in an object of an input type; undefined for other types. */
  input(typeName: string): ObjectMarks | undefined
  /** The object types that may stand where a type is returned; none for other types. */
  possible(typeName: string): ReadonlySet<string>
  /** All marks that sending a value of a type can leave, at any depth. */
  anything(typeName: string): readonly string[]
}

/** The marks of an argument or input field, made once: a text made anew is hashed anew wherever it is looked up. */
export interface InputMarks {
  name: string
  coordinate: string
  /** As written: `[ID!]!`. */
  type: string
  typeName: string
  /** Using the owner without it. */
  without: string
}

export interface FieldMarks {
  coordinate: string
  result: string
  /** `<Status` */
  returns: string
  /** `Query.nodes/id` for `id` */
  inside(name: string): string
  args: ReadonlyMap<string, InputMarks>
}

export interface ObjectMarks {
  name: string
  sent: string
  notOne: string
  fields: ReadonlyMap<string, InputMarks>
}

/** Says that a record holds all marks about what was sent. Records without it lack those with `-`, `=` and `{`. */
export const complete = '{}'

const vocabularies = new WeakMap<SchemaModel, Vocabulary>()

/** The vocabulary of a schema, made once. */
export function vocabularyOf(schema: SchemaModel): Vocabulary {
  let known = vocabularies.get(schema)
  if (!known) vocabularies.set(schema, (known = makeVocabulary(schema)))
  return known
}

/** `Query.users(first:)` → `Query.users(-first:)`, `UserFilter.name` → `UserFilter.-name` */
export function withoutMark(coordinate: string): string {
  return coordinate.replace(/(\w+(?::\))?)$/, '-$1')
}

function makeVocabulary(schema: SchemaModel): Vocabulary {
  const none: ReadonlyMap<string, InputMarks> = new Map()

  function inputMarks(coordinate: string, model: ArgumentModel): InputMarks {
    const { name, type } = model
    return { name, coordinate, type, typeName: namedType(type), without: withoutMark(coordinate) }
  }

  const marksOf = (models: ReadonlyMap<string, ArgumentModel>, coordinate: (name: string) => string) =>
    models.size === 0
      ? none
      : new Map([...models].map(([name, model]) => [name, inputMarks(coordinate(name), model)]))

  const fields = cached((typeName: string) => {
    const marks = new Map<string, FieldMarks>()
    for (const { name, type, args } of schema.types.get(typeName)?.fields.values() ?? []) {
      const coordinate = `${typeName}.${name}`
      const result = namedType(type)
      marks.set(name, {
        coordinate,
        result,
        returns: `<${result}`,
        inside: cached((selected) => `${coordinate}/${selected}`),
        args: marksOf(args, (arg) => `${coordinate}(${arg}:)`),
      })
    }
    return marks
  })
  const input = cached((name: string): ObjectMarks | undefined => {
    const type = schema.types.get(name)
    if (type?.kind !== 'input') return undefined
    const inside = marksOf(type.inputFields, (field) => `${name}.${field}`)
    return { name, sent: `${name}{}`, notOne: `${name}{!1}`, fields: inside }
  })
  return {
    field: (typeName, name) => fields(typeName).get(name),
    directive: cached((name) => {
      const args = schema.directives.get(name)?.args
      return args ? marksOf(args, (arg) => `@${name}(${arg}:)`) : none
    }),
    input,
    possible: cached((name) => possibleTypes(schema, name)),
    anything: cached((typeName) => {
      const found = new Set<string>()
      const add = (name: string): void => {
        if (found.has(name)) return
        found.add(name)
        for (const value of schema.types.get(name)?.values.keys() ?? []) found.add(`${name}.${value}`)
        const inside = input(name)
        if (!inside) return
        found.add(inside.sent).add(inside.notOne)
        for (const { coordinate, without, typeName: type } of inside.fields.values()) {
          found.add(coordinate).add(`${coordinate}=*`).add(without)
          add(type)
        }
      }
      add(typeName)
      return [...found]
    }),
  }
}

/** The object types that may stand where a type is returned. */
export function possibleTypes(schema: SchemaModel, name: string): ReadonlySet<string> {
  const type = schema.types.get(name)
  if (type?.kind === 'object') return new Set([name])
  if (type?.kind === 'union') return type.members
  if (type?.kind !== 'interface') return new Set()
  return new Set(
    [...schema.types.values()]
      .filter(({ kind, interfaces }) => kind === 'object' && interfaces.has(name))
      .map((object) => object.name),
  )
}

function cached<T>(make: (name: string) => T): (name: string) => T {
  const known = new Map<string, T>()
  return (name) => {
    if (!known.has(name)) known.set(name, make(name))
    return known.get(name) as T
  }
}
