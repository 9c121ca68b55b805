import { capital, described, meaning, orderValue, plural, small, words } from './derived-forms'
import type { Marked, MarkedType } from './markings'

/** Says how many groups a summary shows at most. */
export const mostGroups = 1_000
/** Says how many groups a summary shows when nothing else is asked for. */
const usualGroups = 100
/** Says by how many dimensions a summary groups at most. */
export const mostDimensions = 3
/** A summary reads up to 200,000 rows, in about the time in which this many rows are shown. */
const weight = 500
/** Says how many currencies the estimate of costs expects a measure of money in. */
const usualCurrencies = 3

/** Tells whether fields of a type are times, which summaries group by spans. */
export const isTime = (typeName: string): boolean => typeName === 'Date' || typeName === 'DateTime'

const values = ({ group }: MarkedType) =>
  group.map((mark) => ({
    name: orderValue(mark.field.name.value),
    sentence: isTime(mark.typeName)
      ? `${meaning(mark.field)}, in spans that \`per\` says.`
      : `${meaning(mark.field)}.`,
    mark,
  }))

export function dimensionForm(type: string, marks: MarkedType): string {
  return `
    ${described(`What ${plural(words(type))} can be grouped by.`, `enum ${type}Dimension`)} {
      ${values(marks)
        .map(({ name, sentence }) => described(sentence, name))
        .join('\n')}
    }`
}

/** The arguments and the directives of a field `summary`, which returns a summary of `type`. */
export function summaryField(type: string, marks: MarkedType, has: (name: string) => boolean): string {
  const many = plural(words(type))
  const grouped = marks.group.length > 0
  const timed = marks.group.some(({ typeName }) => isTime(typeName))
  const args = [
    has(`${type}Filter`) && described(`Which ${many} to look at; all when omitted.`, `filter: ${type}Filter`),
    grouped &&
      described(
        `What a group has in common: up to ${mostDimensions} dimensions. Without any there is one group.`,
        `groupBy: [${type}Dimension!]! = []`,
      ),
    timed &&
      described(
        'How long the spans are that a time is grouped by; needed with such a dimension, and only then.',
        'per: TimeBucket',
      ),
    timed && described('Whose days they are; those of UTC when omitted.', 'timeZone: TimeZone'),
    timed &&
      described(
        'Adds spans in which there was nothing: from the first to the last of the filter, or else that there is, for each combination of the other dimensions.',
        'fillGaps: Boolean! = false',
      ),
    grouped &&
      described(
        'In which order the groups come; by their keys in the order of `groupBy` when omitted.',
        `orderBy: ${type}SummaryOrder`,
      ),
    grouped && described(`How many groups to return: 1 to ${mostGroups}.`, `first: Int = ${usualGroups}`),
    described(
      'Counts anew. Without it an answer may be up to five minutes old: `asOf` says of when it is.',
      'fresh: Boolean! = false',
    ),
  ]
  const size = `@listSize(assumedSize: ${usualGroups}, slicingArguments: ["first"], sizedFields: ["groups"], requireOneSlicingArgument: false)`
  return `type Parent { summary(${args.filter(Boolean).join('\n')}): ${type}Summary @cost(weight: ${weight}) ${grouped ? size : ''} }`
}

export function summaryForm(type: string, { group }: MarkedType): string {
  const many = plural(words(type))
  const size = group.length > 0 ? usualGroups : 1
  return `
    ${described(`${capital(many)} counted, and what is measured of them, by group and in all.`, `type ${type}Summary`)} {
      ${described('The groups, as many as were asked for.', `groups: [${type}Group!]!`)} @listSize(assumedSize: ${size})
      ${described('All that the filter admits, groups that are left out included.', `total: ${type}Group!`)}
      ${described('How many groups there are besides those that are shown.', 'otherGroups: Int!')}
      ${described('The time zone whose days are counted.', 'timeZone: TimeZone!')}
      ${described('When it was counted.', 'asOf: DateTime!')}
      ${described('False when there are so many that reading stopped at 200,000: then it is about those.', 'complete: Boolean!')}
    }`
}

export function groupForm(type: string, { group, measure }: MarkedType): string {
  const many = plural(words(type))
  const fields = measure.map(({ field, typeName, minGroup, scopes }) => {
    const access = scopes ? `@requiresScopes(scopes: ${JSON.stringify(scopes)})` : ''
    const hidden =
      minGroup === undefined
        ? ''
        : ` Null in a group that would tell what fewer than ${minGroup} have. Together with it only closed lists and other records group and filter.`
    const name = field.name.value
    return typeName === 'Money'
      ? `${described(`${meaning(field)}, by currency; empty when there is none.${hidden}`, `${name}: [MoneyMeasure!]${minGroup === undefined ? '!' : ''}`)} @listSize(assumedSize: ${usualCurrencies}) ${access}`
      : described(`${meaning(field)}; null when there is none.${hidden}`, `${name}: NumberMeasure ${access}`)
  })
  return `
    ${described(`${capital(many)} that have something in common.`, `type ${type}Group`)} {
      ${group.length > 0 ? described('What they have in common.', `key: ${type}Key!`) : ''}
      ${described(`How many ${many} there are in it.`, 'count: Int!')}
      ${fields.join('\n')}
    }`
}

export function keyForm(type: string, { group }: MarkedType): string {
  const none = 'null when not grouped by it, and in the group of those without'
  const fields = group.map(({ field, typeName }) =>
    described(
      `${meaning(field)}${isTime(typeName) ? ', as a span of time' : ''}; ${none}.`,
      `${field.name.value}: ${isTime(typeName) ? 'TimeRange' : typeName}`,
    ),
  )
  return `
    ${described(`What the ${plural(words(type))} of a group have in common.`, `type ${type}Key`)} {
      ${fields.join('\n')}
    }`
}

export function summaryOrderForm(type: string, { measure }: MarkedType): string {
  const hasMoney = measure.some(({ typeName, minGroup }) => typeName === 'Money' && minGroup === undefined)
  return `
    ${described(`The order of groups of ${plural(words(type))}. Groups without a value come last in either direction.`, `input ${type}SummaryOrder`)} {
      ${described('By what.', `field: ${type}SummaryOrderField!`)}
      ${described('In which direction.', 'direction: OrderDirection! = ASC')}
      ${hasMoney ? described('In which currency amounts compare; needed with them, and only then.', 'currency: CurrencyCode') : ''}
    }`
}

/** Returns what groups can be ordered by: ids of rows tell people nothing. */
export const isOrdered = ({ isReference }: Marked): boolean => !isReference

export function summaryOrderFieldForm(type: string, marks: MarkedType): string {
  const keys = values(marks).filter(({ mark }) => isOrdered(mark))
  // An order would tell of protected measures which groups have more.
  const open = marks.measure.filter(({ minGroup }) => minGroup === undefined)
  const measures = open.map(({ field, typeName }) => ({
    name: orderValue(field.name.value),
    sentence:
      typeName === 'Money'
        ? `By the sum of ${small(meaning(field))}, in one currency.`
        : `By the average of ${small(meaning(field))}.`,
  }))
  const count = { name: 'COUNT', sentence: `By how many ${plural(words(type))} there are in it.` }
  const listed = [count, ...keys, ...measures]
  return `
    ${described(`What groups of ${plural(words(type))} can be ordered by.`, `enum ${type}SummaryOrderField`)} {
      ${listed.map(({ name, sentence }) => described(sentence, name)).join('\n')}
    }`
}
