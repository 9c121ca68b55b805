import {
  getNullableType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLSchema,
} from 'graphql'
import { badUserInput, type UserError } from '../errors'
import { mostItems } from '../schema/list-bound'
import { holdsCardNumber, jsonHoldsCardNumber } from '../sensitive/card-numbers'
import { isEmailAddress, normalEmail, normalText, textFault } from '../schema/text'

/** Makes a value normal. Faults are added to the list; without one the value is for a look-up, where nothing is a fault. */
type Read = (value: unknown, path: readonly string[], faults: UserError[] | null) => unknown
type Resolve = NonNullable<GraphQLField<unknown, unknown>['resolve']>

/**
 * Wraps the resolvers of a schema so that they get values in their normal form: texts trimmed and in NFC, e-mail
 * addresses in NFKC and lower case. A mutation whose input has a text that is blank or cannot be seen, no e-mail address,
 * or a day that no business has, answers with `userErrors` that name each field, and is not resolved.
 *
 * A payment card number is such a fault too, wherever a text or JSON may hold it: nothing here is made to keep one.
 *
 * A list has {@link mostItems} items at most, whoever gives it and wherever.
 *
 * `@verbatim` leaves a field as it is; `@multiline` allows line breaks. To be called before the guards are put in, so
 * that whoever may not do a thing is not told more.
 */
export function bindInputValues(schema: GraphQLSchema): void {
  const reads = new Map<unknown, Read>()
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue
    for (const field of Object.values(type.getFields())) {
      // What the gateway asks by itself, such as `_entities`, is as long as its batches.
      if (!field.resolve || field.args.length === 0 || field.name.startsWith('_')) continue
      const isMutation = type === schema.getMutationType()
      field.resolve = isMutation ? mutation(field, field.resolve, reads) : query(field, field.resolve, reads)
    }
  }
}

/** A resolver with the arguments of a look-up made normal. */
function query(field: GraphQLField<unknown, unknown>, resolve: Resolve, reads: Map<unknown, Read>): Resolve {
  const read = argumentsRead(field, reads)
  if (!read) return resolve
  return (parent, args, context, info) =>
    resolve(parent, read(args, [], null) as Record<string, unknown>, context, info)
}

/** A mutation's resolver, which is not called when a person can correct something first. */
function mutation(
  field: GraphQLField<unknown, unknown>,
  resolve: Resolve,
  reads: Map<unknown, Read>,
): Resolve {
  const read = argumentsRead(field, reads)
  if (!read) return resolve
  return (parent, args, context, info) => {
    const faults: UserError[] = []
    const normal = read(args, [], faults) as Record<string, unknown>
    if (faults.length === 0) return resolve(parent, normal, context, info)
    const told = faults.map(({ field: path, ...fault }) => ({ ...fault, field: path?.slice(1) ?? null }))
    return { userErrors: told }
  }
}

function argumentsRead(
  { args }: GraphQLField<unknown, unknown>,
  reads: Map<unknown, Read>,
): Read | undefined {
  return membersRead(
    args.flatMap((argument) => {
      const read = readOf(argument, reads)
      return read ? [[argument.name, read] as const] : []
    }),
  )
}

function membersRead(members: readonly (readonly [string, Read])[]): Read | undefined {
  if (members.length === 0) return undefined
  return (value, path, faults) => {
    const given = value as Readonly<Record<string, unknown>>
    let changed: Record<string, unknown> | undefined
    for (const [name, read] of members) {
      const one = given[name]
      if (one === null || one === undefined) continue
      const normal = read(one, [...path, name], faults)
      if (normal !== one) (changed ??= { ...given })[name] = normal
    }
    return changed ?? given
  }
}

type Declared = Pick<GraphQLInputField, 'type' | 'astNode'>

/** Says how the values of an argument or a field are read; undefined when they are left as they are. */
function readOf(declared: Declared, reads: Map<unknown, Read>): Read | undefined {
  const marks = new Set(declared.astNode?.directives?.map(({ name }) => name.value))
  if (marks.has('verbatim')) {
    const read = isSecretInput.test(declared.astNode!.name.value) ? undefined : verbatimRead
    return isListType(getNullableType(declared.type)) ? listRead(read) : read
  }
  return readOfType(declared.type, marks.has('multiline') ? 'multiline' : 'line', reads)
}

/** Secrets: they are hashed or compared, never kept, and whoever has one must be able to send it. */
const isSecretInput = /password|token|^deviceMark$|^email$|^tenant$/i

/** A key of a machine stays as it is. */
const verbatimRead: Read = (value, path, faults) => {
  if (!faults || typeof value !== 'string') return value
  if (isTooLong(value)) faults.push(fault(path, lengthFault))
  else if (holdsCardNumber(value)) faults.push(fault(path, cardFault))
  return value
}

/** Characters of the longest text that any column takes: longer ones are refused before anything looks through them. */
const longestText = 20_000
const lengthFault = `must have at most ${longestText} characters`

/** Tells whether a text has too many characters; those beyond U+FFFF are one each, as PostgreSQL counts. */
const isTooLong = (text: string): boolean =>
  text.length > longestText && (text.length > 2 * longestText || [...text].length > longestText)

function readOfType(
  given: GraphQLInputType,
  form: 'line' | 'multiline',
  reads: Map<unknown, Read>,
): Read | undefined {
  const type = getNullableType(given)
  if (isListType(type)) {
    return listRead(readOfType(type.ofType as GraphQLInputType, form, reads))
  }
  if (!isInputObjectType(type)) return scalarReads(form, !isNonNullType(given))[type.name]
  const known = reads.get(type)
  if (known) return known
  // Filters hold filters: the fields are looked at when the first value comes.
  let members: Read | null | undefined
  const read: Read = (value, path, faults) => {
    if (members === undefined) {
      const found = Object.values(type.getFields()).flatMap((field) => {
        const each = readOf(field, reads)
        return each ? [[field.name, each] as const] : []
      })
      members = membersRead(found) ?? null
    }
    return members ? members(value, path, faults) : value
  }
  reads.set(type, read)
  return read
}

/** @param read how an item is read; undefined: items stay as they are */
function listRead(read: Read | undefined): Read {
  return (value, path, faults) => {
    const items = value as readonly unknown[]
    if (items.length > mostItems) {
      if (!faults) throw badUserInput(`${path.join('.')}: ${tooManyItems}`)
      faults.push(fault(path, tooManyItems))
      return items
    }
    if (!read) return items
    const normal = items.map((item, place) =>
      item === null || item === undefined ? item : read(item, [...path, String(place)], faults),
    )
    return normal.every((item, place) => item === items[place]) ? items : normal
  }
}

const tooManyItems = `has more than ${mostItems} items: send them in several requests`

/** A fault of the last of the path, in the words of a form. */
function fault(path: readonly string[], message: string): UserError {
  const name = [...path].reverse().find((part) => !/^\d+$/.test(part))
  return { code: 'INVALID', message: `${name} ${message}`, field: [...path] }
}

const cardFault = 'must not hold a payment card number: leave it out'

const emailFault = 'is not an e-mail address, such as "ada@example.com"'

/** Years of which a business keeps days: nothing that is counted from them leaves the calendar. */
const [firstYear, lastYear] = ['1900', '2999']

function scalarReads(
  form: 'line' | 'multiline',
  nullable: boolean,
): Readonly<Record<string, Read | undefined>> {
  const plausible =
    (what: string): Read =>
    (value, path, faults) => {
      const year = String(value).slice(0, 4)
      if (faults && (year < firstYear || year > lastYear))
        faults.push(fault(path, `must be ${what} of the years ${firstYear} to ${lastYear}`))
      return value
    }
  return {
    String(value, path, faults) {
      const text = normalText(String(value))
      if (!faults) return text
      if (isTooLong(text)) {
        faults.push(fault(path, lengthFault))
        return text
      }
      const wrong = textFault(text, form)
      if (wrong)
        faults.push(fault(path, text === '' && nullable ? `${wrong}: leave it out or give null` : wrong))
      if (holdsCardNumber(text)) faults.push(fault(path, cardFault))
      return text
    },
    EmailAddress(value, path, faults) {
      const email = normalEmail(String(value))
      if (!isEmailAddress(email)) {
        if (!faults) throw badUserInput(`${path.join('.')} ${emailFault}`)
        faults.push(fault(path, emailFault))
      }
      if (faults && !isTooLong(email) && holdsCardNumber(email)) faults.push(fault(path, cardFault))
      return email
    },
    JSON(value, path, faults) {
      if (faults && jsonHoldsCardNumber(value)) faults.push(fault(path, cardFault))
      return value
    },
    Date: plausible('a day'),
    DateTime: plausible('an instant'),
  }
}
