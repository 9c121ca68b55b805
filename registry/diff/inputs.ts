import type { Change } from '../change'
import type { ChangeCode } from '../rules'
import type { ArgumentModel, TypeModel } from '../schema-model'
import { documentedChanges } from './documented'
import { inputFits, isRequired } from './type-references'

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
  owner: string,
  before: ReadonlyMap<string, ArgumentModel>,
  after: ReadonlyMap<string, ArgumentModel>,
): Change[] {
  return before === after
    ? []
    : inputChanges(argumentCodes, owner, (name) => `${owner}(${name}:)`, before, after)
}

/** Differences between the fields of an input. */
export function inputFieldChanges(before: TypeModel, after: TypeModel): Change[] {
  return inputChanges(
    inputFieldCodes,
    before.name,
    (name) => `${before.name}.${name}`,
    before.inputFields,
    after.inputFields,
  )
}

function inputChanges(
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
        ...changesOf(codes, owner, coordinate, input, kept),
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
            affects: [owner],
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
  codes: Codes,
  owner: string,
  coordinate: string,
  before: ArgumentModel,
  after: ArgumentModel,
): Change[] {
  const changes: Change[] = []
  if (isRequired(after) && !isRequired(before)) {
    changes.push({
      code: codes.required,
      severity: 'breaking',
      coordinate,
      message: `${coordinate} must be given now`,
      from: signature(before),
      to: signature(after),
      affects: [owner],
    })
    // The same edit seen as a change of type or default would say it twice.
    if (before.type.replaceAll('!', '') === after.type.replaceAll('!', '')) return changes
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
      affects: fits ? [] : [coordinate],
    })
  }
  if (before.defaultValue !== after.defaultValue && !isRequired(after)) {
    changes.push({
      code: codes.default,
      severity: isRequired(before) ? 'safe' : 'dangerous',
      coordinate,
      message: `The default of ${coordinate} was ${before.defaultValue ?? 'none'} and is ${after.defaultValue ?? 'none'} now`,
      from: before.defaultValue,
      to: after.defaultValue,
      affects: isRequired(before) ? [] : [owner],
    })
  }
  return changes
}

function signature({ type, defaultValue }: ArgumentModel): string {
  return defaultValue === undefined ? type : `${type} = ${defaultValue}`
}
