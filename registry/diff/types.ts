import type { Change } from '../change'
import { directive, namedType, type SchemaModel, type TypeModel } from '../schema-model'
import { possibleTypes } from '../usage/vocabulary'
import { documentedChanges } from './documented'
import { fieldChanges } from './fields'
import { inputFieldChanges, isAlike } from './inputs'
import { inputsOf, type Schemas } from './schemas'

/** Differences between the types two schemas show. @param unchanged types to pass over */
export function typeChanges(
  from: SchemaModel,
  to: SchemaModel,
  unchanged: ReadonlySet<string> = new Set(),
): Change[] {
  const uses = usesOf(from)
  const changes: Change[] = []
  for (const before of from.types.values()) {
    if (unchanged.has(before.name)) continue
    const after = to.types.get(before.name)
    if (!after) {
      changes.push({
        code: 'TYPE_REMOVED',
        severity: 'breaking',
        coordinate: before.name,
        message: `${article(before)} ${before.name} was removed`,
        from: before.kind,
        affects: usersOfRemoved(from, to, before),
      })
    } else if (before.kind !== after.kind) {
      changes.push({
        code: 'TYPE_KIND_CHANGED',
        severity: 'breaking',
        coordinate: before.name,
        message: `${before.name} was ${article(before).toLowerCase()} and is ${article(after).toLowerCase()} now`,
        from: before.kind,
        to: after.kind,
        affects: [before.name],
      })
    } else {
      changes.push(
        ...documentedChanges(before.name, before, after),
        ...fieldChanges({ from, to }, before, after),
        ...inputFieldChanges({ from, to }, before, after),
        ...valueChanges(before, after, uses),
        ...memberChanges({ from, to }, before, after),
        ...interfaceChanges({ from, to }, before, after),
        ...scalarAndInputChanges(before, after),
      )
    }
  }
  for (const type of to.types.values()) {
    if (from.types.has(type.name)) continue
    changes.push({
      code: 'TYPE_ADDED',
      severity: 'safe',
      coordinate: type.name,
      message: `${article(type)} ${type.name} was added`,
      to: type.kind,
      affects: [],
    })
  }
  return changes
}

const articles: Record<TypeModel['kind'], string> = {
  scalar: 'The scalar',
  object: 'The type',
  interface: 'The interface',
  union: 'The union',
  enum: 'The enum',
  input: 'The input',
}

function article(type: TypeModel): string {
  return articles[type.kind]
}

/** The types that clients send: named by arguments and input fields. */
function usesOf(schema: SchemaModel): { sent: ReadonlySet<string>; received: ReadonlySet<string> } {
  const sent = new Set<string>()
  const received = new Set<string>()
  for (const type of schema.types.values()) {
    for (const field of type.fields.values()) {
      received.add(namedType(field.type))
      for (const argument of field.args.values()) sent.add(namedType(argument.type))
    }
    for (const field of type.inputFields.values()) sent.add(namedType(field.type))
  }
  for (const { args } of schema.directives.values())
    for (const argument of args.values()) sent.add(namedType(argument.type))
  return { sent, received }
}

function valueChanges(before: TypeModel, after: TypeModel, uses: ReturnType<typeof usesOf>): Change[] {
  const changes: Change[] = []
  const { name } = before
  for (const value of before.values.values()) {
    const coordinate = `${name}.${value.name}`
    const kept = after.values.get(value.name)
    if (kept) changes.push(...documentedChanges(coordinate, value, kept))
    else if (uses.sent.has(name)) {
      const message = `${coordinate} was removed: operations that send it are refused`
      changes.push({
        code: 'ENUM_VALUE_REMOVED',
        severity: 'breaking',
        coordinate,
        message,
        affects: [coordinate],
      })
    } else {
      const message = `${coordinate} was removed: clients only receive ${name}, and will not receive this value any more`
      changes.push({
        code: 'ENUM_VALUE_REMOVED',
        severity: 'dangerous',
        coordinate,
        message,
        affects: [`<${name}`],
      })
    }
  }
  for (const value of after.values.values()) {
    if (before.values.has(value.name)) continue
    const received = uses.received.has(name)
    changes.push({
      code: 'ENUM_VALUE_ADDED',
      severity: received ? 'dangerous' : 'safe',
      coordinate: `${name}.${value.name}`,
      message: `${name}.${value.name} was added${received ? ': clients that receive it may not know it' : ''}`,
      affects: received ? [`<${name}`] : [],
    })
  }
  return changes
}

function memberChanges(schemas: Schemas, before: TypeModel, after: TypeModel): Change[] {
  const union = before.name
  return [
    ...missing(before.members, after.members).map((member): Change => ({
      code: 'UNION_MEMBER_REMOVED',
      severity: 'breaking',
      coordinate: union,
      message: `${member} is no member of ${union} any more: fragments on it are refused there`,
      from: member,
      affects: apart(schemas, union),
    })),
    ...missing(after.members, before.members).map((member): Change => ({
      code: 'UNION_MEMBER_ADDED',
      severity: 'dangerous',
      coordinate: union,
      message: `${member} became a member of ${union}: clients may receive a type they do not know`,
      to: member,
      affects: meeting(schemas.from, union, member),
    })),
  ]
}

function interfaceChanges(schemas: Schemas, before: TypeModel, after: TypeModel): Change[] {
  const type = before.name
  return [
    ...missing(before.interfaces, after.interfaces).map((name): Change => ({
      code: 'INTERFACE_REMOVED',
      severity: 'breaking',
      coordinate: type,
      message: `${type} does not implement ${name} any more`,
      from: name,
      affects: apart(schemas, name),
    })),
    ...missing(after.interfaces, before.interfaces).map((name): Change => {
      const known = schemas.from.types.has(name)
      return {
        code: 'INTERFACE_ADDED',
        severity: known ? 'dangerous' : 'safe',
        coordinate: type,
        message: `${type} implements ${name} now${known ? ': clients of the interface may receive a type they do not know' : ''}`,
        to: name,
        affects: known ? meeting(schemas.from, name, type) : [],
      }
    }),
  ]
}

function scalarAndInputChanges(before: TypeModel, after: TypeModel): Change[] {
  const changes: Change[] = []
  const url = (type: TypeModel) => directive(type, 'specifiedBy')?.args['url'] as string | undefined
  if (url(before) !== url(after)) {
    changes.push({
      code: 'SPECIFIED_BY_CHANGED',
      severity: url(before) === undefined ? 'safe' : 'dangerous',
      coordinate: before.name,
      message: `${before.name} is specified by ${url(after) ?? 'nothing'}, before by ${url(before) ?? 'nothing'}`,
      from: url(before),
      to: url(after),
      affects: [before.name],
    })
  }
  const [was, is] = [before, after].map((type) => directive(type, 'oneOf') !== null)
  if (was !== is) {
    changes.push({
      code: is ? 'ONE_OF_ADDED' : 'ONE_OF_REMOVED',
      severity: is ? 'breaking' : 'safe',
      coordinate: before.name,
      message: is
        ? `${before.name} takes exactly one of its fields now`
        : `${before.name} takes any of its fields now`,
      affects: is ? [`${before.name}{!1}`] : [],
    })
  }
  return changes
}

/** Selections of one type where another stands that no object can meet any more: validation refuses them. */
export function apart({ from, to }: Schemas, typeName: string): string[] {
  const [was, is] = [possibleTypes(from, typeName), possibleTypes(to, typeName)]
  const nothingLeft = is.size === 0 ? [`<${typeName}`] : []
  const refused = [...from.types.values()].flatMap(({ name }) => {
    if (name === typeName || !overlap(was, possibleTypes(from, name))) return []
    return overlap(is, possibleTypes(to, name)) ? [] : [`${typeName}>${name}`, `${name}>${typeName}`]
  })
  return [...nothingLeft, ...refused]
}

/** Selections of an interface or union in which an object that joins it is met from now on. */
function meeting(from: SchemaModel, abstract: string, object: string): string[] {
  const places = [...from.types.values()].filter(
    ({ kind, name }) => kind !== 'object' && name !== abstract && possibleTypes(from, name).has(object),
  )
  return [`<${abstract}`, ...places.map(({ name }) => `${name}>${abstract}`)]
}

function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return [...a].some((name) => b.has(name))
}

/**
 * Names who suffers when a type goes: who selects it; and of what is sent, who names it in a variable, or sends it
 * where the type that takes its place does not take the same.
 */
function usersOfRemoved(from: SchemaModel, to: SchemaModel, { name, kind }: TypeModel): string[] {
  if (kind === 'object' || kind === 'interface' || kind === 'union') return [name]
  const isTaken = [...inputsOf(from)].every(([coordinate, { type }]) => {
    if (namedType(type) !== name) return true
    const now = inputsOf(to).get(coordinate)
    return now !== undefined && isAlike({ from, to }, name, namedType(now.type))
  })
  return isTaken ? [`$${name}`] : [`$${name}`, name]
}

/** Names of the first that are not in the second. */
export function missing(names: ReadonlySet<string>, from: ReadonlySet<string>): string[] {
  return [...names].filter((name) => !from.has(name))
}
