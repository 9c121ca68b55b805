import type { Affected, Change } from '../change'
import type { ChangeCode } from '../rules'
import { directive, namedType, type ArgumentModel, type SchemaModel, type TypeModel } from '../schema-model'
import { documentedChanges } from './documented'
import { omittedWith } from './omitted'
import type { Schemas } from './schemas'
import { inputFits, isRequired, sameWithoutNonNull } from './type-references'
import { sameDefault } from './values'

/** The codes of what can happen to an argument, and to an input field. */
interface Codes {
  added: ChangeCode
  required: ChangeCode
  removed: ChangeCode
  type: ChangeCode
  widened: ChangeCode
  default: ChangeCode
}

const argumentCodes: Codes = {
  added: 'ARGUMENT_ADDED',
  required: 'REQUIRED_ARGUMENT_ADDED',
  removed: 'ARGUMENT_REMOVED',
  type: 'ARGUMENT_TYPE_CHANGED',
  widened: 'ARGUMENT_TYPE_WIDENED',
  default: 'ARGUMENT_DEFAULT_CHANGED',
}
const inputFieldCodes: Codes = {
  added: 'INPUT_FIELD_ADDED',
  required: 'REQUIRED_INPUT_FIELD_ADDED',
  removed: 'INPUT_FIELD_REMOVED',
  type: 'INPUT_FIELD_TYPE_CHANGED',
  widened: 'INPUT_FIELD_TYPE_WIDENED',
  default: 'INPUT_FIELD_DEFAULT_CHANGED',
}

/** Differences between the arguments of a field or a directive. @param owner its coordinate */
export function argumentChanges(
  schemas: Schemas,
  owner: string,
  before: ReadonlyMap<string, ArgumentModel>,
  after: ReadonlyMap<string, ArgumentModel>,
): Change[] {
  return before === after
    ? []
    : inputChanges(schemas, argumentCodes, owner, (name) => `${owner}(${name}:)`, before, after)
}

/** Differences between the fields of an input. */
export function inputFieldChanges(schemas: Schemas, before: TypeModel, after: TypeModel): Change[] {
  return inputChanges(
    schemas,
    inputFieldCodes,
    `${before.name}{}`,
    (name) => `${before.name}.${name}`,
    before.inputFields,
    after.inputFields,
  )
}

/** @param owner the mark of everybody who uses what they belong to */
function inputChanges(
  schemas: Schemas,
  codes: Codes,
  owner: string,
  coordinateOf: (name: string) => string,
  before: ReadonlyMap<string, ArgumentModel>,
  after: ReadonlyMap<string, ArgumentModel>,
): Change[] {
  const changes: Change[] = []
  for (const input of before.values()) {
    const coordinate = coordinateOf(input.name)
    const kept = after.get(input.name)
    if (kept)
      changes.push(
        ...documentedChanges(coordinate, input, kept),
        ...changesOf(schemas, codes, coordinate, input, kept),
      )
    else {
      const message = `${coordinate} was removed`
      changes.push({
        code: codes.removed,
        severity: 'breaking',
        coordinate,
        message,
        from: input.type,
        affects: [coordinate],
      })
    }
  }
  for (const input of after.values()) {
    if (before.has(input.name)) continue
    const coordinate = coordinateOf(input.name)
    changes.push(
      isRequired(input)
        ? {
            code: codes.required,
            severity: 'breaking',
            coordinate,
            message: `${coordinate} was added and must be given`,
            to: input.type,
            affects: [owner, ...omittedWith(schemas, coordinate).map((omits) => ({ omits }))],
          }
        : {
            code: codes.added,
            severity: 'safe',
            coordinate,
            message: `${coordinate} was added`,
            to: input.type,
            affects: [],
          },
    )
  }
  return changes
}

function changesOf(
  schemas: Schemas,
  codes: Codes,
  coordinate: string,
  before: ArgumentModel,
  after: ArgumentModel,
): Change[] {
  const changes: Change[] = []
  if (isRequired(after) && !isRequired(before)) {
    const required = { type: `${before.type.replace(/!$/, '')}!`, defaultValue: undefined }
    const sameType = sameWithoutNonNull(before.type, after.type)
    changes.push({
      code: codes.required,
      severity: 'breaking',
      coordinate,
      message: `${coordinate} must be given now`,
      from: signature(before),
      to: signature(after),
      affects: [
        ...omitting(schemas, coordinate),
        refused(schemas, coordinate, before, sameType ? after : required),
      ],
    })
    // The same edit seen as a change of type or default would say it twice.
    if (sameType) return changes
  }
  if (before.type !== after.type) {
    const fits = inputFits(before.type, after.type)
    changes.push({
      code: fits ? codes.widened : codes.type,
      severity: fits ? 'safe' : 'breaking',
      coordinate,
      message: `${coordinate} took ${before.type} and takes ${after.type} now`,
      from: before.type,
      to: after.type,
      affects: fits ? [] : [refused(schemas, coordinate, before, after)],
    })
  }
  if (!isRequired(after) && !sameDefault(schemas, before, after)) {
    changes.push({
      code: codes.default,
      severity: isRequired(before) ? 'safe' : 'dangerous',
      coordinate,
      message: `The default of ${coordinate} was ${before.defaultValue ?? 'none'} and is ${after.defaultValue ?? 'none'} now`,
      from: before.defaultValue,
      to: after.defaultValue,
      affects: isRequired(before) ? [] : omitting(schemas, coordinate),
    })
  }
  return changes
}

/** Operations that leave an input out, or something whose default leaves it out. */
function omitting(schemas: Schemas, coordinate: string): Affected[] {
  return [coordinate, ...omittedWith(schemas, coordinate)].map((omits) => ({ omits }))
}

type Input = Pick<ArgumentModel, 'type' | 'defaultValue'>

/** Operations that send something in a form that is refused from now on. */
function refused({ from, to }: Schemas, sends: string, before: Input, after: Input): Affected {
  const [was, is] = [namedType(before.type), namedType(after.type)]
  const position = (schema: SchemaModel, { type, defaultValue }: Input) => ({
    type,
    hasDefault: defaultValue !== undefined,
    kind: schema.types.get(namedType(type))?.kind ?? ('scalar' as const),
  })
  return {
    sends,
    was: position(from, before),
    is: position(to, after),
    alike: isAlike({ from, to }, was, is),
  }
}

/** Tells whether the one type takes every value that the other took. What changes under the same name is told there. */
export function isAlike({ from, to }: Schemas, was: string, is: string, seen = new Set<string>()): boolean {
  if (was === is || seen.has(`${was} ${is}`)) return true
  seen.add(`${was} ${is}`)
  const [before, after] = [from.types.get(was), to.types.get(is)]
  if (!before || before.kind !== after?.kind) return false
  if (before.kind === 'enum') return [...before.values.keys()].every((name) => after.values.has(name))
  if (before.kind !== 'input' || (directive(after, 'oneOf') && !directive(before, 'oneOf'))) return false
  for (const [name, field] of after.inputFields) {
    const known = before.inputFields.get(name)
    if (isRequired(field) && !(known && isRequired(known))) return false
  }
  return [...before.inputFields].every(([name, { type }]) => {
    const now = after.inputFields.get(name)
    const [named, named2] = [namedType(type), namedType(now?.type ?? '')]
    return (
      now !== undefined &&
      inputFits(type.replace(named, named2), now.type) &&
      isAlike({ from, to }, named, named2, seen)
    )
  })
}

function signature({ type, defaultValue }: ArgumentModel): string {
  return defaultValue === undefined ? type : `${type} = ${defaultValue}`
}
