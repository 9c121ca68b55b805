import type { FieldDefinitionNode } from 'graphql'

/** The marks that a field of the SDL may carry; `schema/shared.graphql` defines and describes them. */
export const markings = ['filter', 'order', 'search', 'group', 'measure'] as const
export type Marking = (typeof markings)[number]

/** Describes what fields of one type can be marked with. */
export interface Kind {
  /** The type of the condition that `@filter` gives. */
  condition: string
  marks: readonly Marking[]
  /** The name of the condition, where `as` does not give one. */
  nameOf: (field: string) => string
}

const kind = (condition: string, ...marks: Marking[]): Kind => ({
  condition,
  marks,
  nameOf: (field) => field,
})

/** Holds what each scalar, and Money, can be marked with. */
export const kinds: Readonly<Record<string, Kind>> = {
  String: kind('StringFilter', 'filter', 'order', 'search', 'group'),
  EmailAddress: kind('StringFilter', 'filter', 'order', 'search'),
  ID: kind('IDFilter', 'filter', 'order'),
  Int: kind('IntFilter', 'filter', 'order', 'group', 'measure'),
  Float: kind('FloatFilter', 'filter', 'order', 'measure'),
  Decimal: kind('DecimalFilter', 'filter', 'order', 'measure'),
  Date: kind('DateFilter', 'filter', 'order', 'group'),
  DateTime: kind('DateTimeFilter', 'filter', 'order', 'group'),
  Boolean: kind('BooleanFilter', 'filter', 'order', 'group'),
  CurrencyCode: kind('CurrencyCodeFilter', 'filter', 'order', 'group'),
  Money: kind('MoneyFilter', 'filter', 'order', 'measure'),
}
/** Texts that are encrypted in the database: they are compared as a whole. */
export const encryptedKind: Kind = kind('EncryptedStringFilter', 'filter')
export const enumKind = (name: string): Kind => kind(`${name}Filter`, 'filter', 'order', 'group')
export const referenceKind: Kind = {
  ...kind('IDFilter', 'filter', 'group'),
  nameOf: (field) => `${field}Id`,
}

/** Codes that every subgraph's user errors have, before its own. */
const commonCodes: Readonly<Record<string, string>> = {
  NOT_FOUND: 'There is no record with this id.',
  STALE_VERSION: 'The record changed since it was read: read it again and repeat the change.',
  DUPLICATE: 'The value must be unique and is in use.',
  INVALID: 'The value is not allowed.',
  REFERENCE_NOT_FOUND: 'The record referred to does not exist.',
  IN_USE: 'Other records refer to this one.',
  IDEMPOTENCY_KEY_REUSED: 'The idempotency key was used with another input.',
}

/** An element of the SDL behind its description. */
export const described = (sentence: string, element: string) => `${JSON.stringify(sentence)} ${element}`

/** `InvoiceLine` as people say it: `invoice line`. */
export const words = (name: string): string =>
  name.replace(/(?<!^)(?=[A-Z])|(?<=[a-z])(?=\d)/g, ' ').toLowerCase()
/** `an invoice` of `invoice`. */
export const article = (noun: string): string => (/^[aeio]/.test(noun) ? `an ${noun}` : `a ${noun}`)
/** `invoice lines` of `invoice line`. */
export function plural(noun: string): string {
  if (/[^aeiou]y$/.test(noun)) return `${noun.slice(0, -1)}ies`
  if (/sis$/.test(noun)) return `${noun.slice(0, -2)}es`
  return /(s|x|z|ch|sh)$/.test(noun) ? `${noun}es` : `${noun}s`
}
/** With a capital letter. */
export const capital = (sentence: string): string => sentence.charAt(0).toUpperCase() + sentence.slice(1)
/** With a small letter, unless the first word is an abbreviation or a name in capitals. */
export const small = (sentence: string): string =>
  /^[A-Z](?![A-Z])/.test(sentence) ? sentence.charAt(0).toLowerCase() + sentence.slice(1) : sentence

/** The beginning of a field's description, which says what the field is: `First day of work`. */
export function meaning({ name, description }: FieldDefinitionNode): string {
  const said = description?.value.replace(/\s+/g, ' ').trim()
  return said ? said.replace(/(;|:| \(|\. ).*$|\.$/, '') : capital(words(name.value))
}

export function connectionForm(type: string): string {
  const noun = words(type)
  return `
    ${described(`A page of ${plural(noun)}.`, `type ${type}Connection`)} {
      ${described(`The ${plural(noun)} with their cursors.`, `edges: [${type}Edge!]!`)}
      ${described(`The ${plural(noun)} alone.`, `nodes: [${type}!]!`)}
      ${described('Where the page stands in the list.', 'pageInfo: PageInfo!')}
      ${described(`How many ${plural(noun)} the filter admits. Counting stops at 10,000: this number says that there are as many or more.`, 'totalCount: Int')}
    }`
}

export function edgeForm(type: string): string {
  const noun = words(type)
  return `
    ${described(`${capital(article(noun))} in a page.`, `type ${type}Edge`)} {
      ${described('Its place in the list, for `after` and `before`.', 'cursor: String!')}
      ${described(`The ${noun}.`, `node: ${type}!`)}
    }`
}

/** The arguments and the directive of a field `connection`, which returns a connection of `type`. */
export function connectionField(type: string, atRoot: boolean, has: (name: string) => boolean): string {
  const filter = described(
    `Which ${plural(words(type))} to return; all when omitted.`,
    `filter: ${type}Filter`,
  )
  const most = atRoot ? 100 : 50
  const orderBy = described(
    'In which order: by up to three values, the first of them first. Leave it out for the order of the list.',
    `orderBy: [${type}Order!]`,
  )
  return `type Parent { connection(
    ${described(`How many to return from the front: 1 to ${most}; 20 when neither this nor \`last\` is given.`, 'first: Int')}
    ${described('Continue after this cursor, forwards.', 'after: String')}
    ${described(`How many to return from the end: 1 to ${most}. Not together with \`first\`.`, 'last: Int')}
    ${described('Continue before this cursor, backwards.', 'before: String')}
    ${has(`${type}Filter`) ? filter : ''}
    ${has(`${type}Order`) ? orderBy : ''}
  ): ${type}Connection @listSize(
    assumedSize: 20, slicingArguments: ["first", "last"], sizedFields: ["edges", "nodes"],
    requireOneSlicingArgument: false
  ) }`
}

/** A part of a form that a marked field gives, with its own sentence. */
export interface Condition {
  name: string
  type: string
  sentence: string
}

/** @param searched the fields that `search` looks into; without any there is no such condition */
export function filterForm(
  type: string,
  conditions: readonly Condition[],
  searched: readonly string[],
): string {
  const fields = searched.map(words)
  const listed = fields.length > 1 ? `${fields.slice(0, -1).join(', ')} or ${fields.at(-1)}` : fields[0]
  const search = described(
    `Text that the ${listed} contains, ignoring case and accents. It is not blank.`,
    'search: String',
  )
  return `
    ${described(`Which ${plural(words(type))} to return. All conditions given must hold.`, `input ${type}Filter`)} {
      ${fields.length > 0 ? search : ''}
      ${conditions.map(({ name, type, sentence }) => described(sentence, `${name}: ${type}`)).join('\n')}
      ${described('All of these hold. An empty list finds all.', `and: [${type}Filter!]`)}
      ${described('At least one of these holds. An empty list finds nothing.', `or: [${type}Filter!]`)}
      ${described('This does not hold. Filters stand in one another at most 5 deep, with 50 conditions in all.', `not: ${type}Filter`)}
    }`
}

/** The condition of fields of an enum. */
export function enumFilterForm(name: string): string {
  const values = plural(words(name))
  return `
    ${described(`Which ${values} to find. All conditions given must hold.`, `input ${name}Filter`)} {
      ${described('Exactly this.', `eq: ${name}`)}
      ${described('One of these. An empty list finds nothing.', `in: [${name}!]`)}
      ${described('None of these; rows without a value are found. An empty list finds all.', `notIn: [${name}!]`)}
      ${described('Without a value (true), or with one (false).', 'isNull: Boolean')}
    }`
}

/** Returns what a condition that `@filter` gives says, unless it has a description of its own. */
export function conditionSentence(field: FieldDefinitionNode, type: string, as: string | undefined): string {
  if (as) return `By ${words(as).replace(/ id$/, '')}.`
  if (type === 'BooleanFilter') return `${meaning(field)}; both when omitted.`
  return `By ${small(meaning(field).replace(/^Its /, ''))}.`
}

export function orderForm(type: string): string {
  return `
    ${described(`The order of ${plural(words(type))}.`, `input ${type}Order`)} {
      ${described('By which value.', `field: ${type}OrderField!`)}
      ${described('In which direction.', 'direction: OrderDirection! = ASC')}
    }`
}

export function orderFieldForm(type: string, values: readonly Omit<Condition, 'type'>[]): string {
  return `
    ${described(`What ${plural(words(type))} can be ordered by.`, `enum ${type}OrderField`)} {
      ${values.map(({ name, sentence }) => described(sentence, name)).join('\n')}
    }`
}

/** The value of an order's enum for a field: `isoCode2` is `ISO_CODE_2`. */
export const orderValue = (field: string): string => field.replace(/([A-Z]|\d+)/g, '_$1').toUpperCase()

/** Returns what a value that `@order` gives says, unless it has a description of its own. */
export function orderSentence(field: FieldDefinitionNode, typeName: string): string {
  if (typeName !== 'Money') return `${meaning(field)}.`
  const [amount] = meaning(field).split(',')
  return `${amount}, in the currency's smallest unit: filter by its currency to compare.`
}

/** @param isNew the mutation adds a record: its input names none that there is */
export function payloadForm(mutation: string, noun: string, error: string, isNew: boolean): string {
  const state = /^(delete|discard|remove)/.test(mutation) ? 'was last' : 'is now'
  const present = isNew ? `The new ${words(noun)}` : `The ${words(noun)} as it ${state}`
  const absent = isNew ? 'none was added' : 'nothing was changed'
  return `
    ${described(`What \`${mutation}\` did.`, `type ${capital(mutation)}Payload`)} {
      ${described(`${present}; null when ${absent}.`, `${noun.charAt(0).toLowerCase()}${noun.slice(1)}: ${noun}`)}
      ${described(`Why ${absent}; empty on success.`, `userErrors: [${error}!]!`)}
    }`
}

export function inputForm(mutation: string, noun: string): string {
  return described(`Which ${words(noun)} \`${mutation}\` is about.`, changeForm(noun, capital(mutation)))
}

/** The beginning of an `UpdateCourseInput` that is made from `CreateCourseInput`. */
export function updateForm(noun: string): string {
  const sentence = `What to change of ${article(words(noun))}. Omitted fields stay as they are; null empties a field that may be empty.`
  return described(sentence, changeForm(noun, `Update${noun}`))
}

/** The fields that say which record an input is about, and the version that it is based on. */
export function changeForm(noun: string, name = 'Change'): string {
  return `input ${name}Input {
      ${described(`UUID of the ${words(noun)}.`, 'id: ID!')}
      ${described('The `version` that the change is based on.', 'expectedVersion: Int!')}
    }`
}

export function userErrorForm(error: string): string {
  return `
    ${described('Why a mutation of this subgraph changed nothing.', `type ${error} implements UserError`)} {
      ${described('The reason, for programs.', `code: ${error}Code!`)}
      ${described('What is wrong, for people.', 'message: String!')}
      ${described('The path of the input field at fault; null when it is none in particular.', 'field: [String!]')}
    }`
}

/** The codes that are not among those written by hand. */
export function codesForm(name: string, written: ReadonlySet<string>): string | null {
  const missing = Object.entries(commonCodes).filter(([code]) => !written.has(code))
  if (missing.length === 0) return null
  return `
    ${described('Reasons why a mutation of this subgraph changes nothing.', `enum ${name}`)} {
      ${missing.map(([code, sentence]) => described(sentence, code)).join('\n')}
    }`
}
