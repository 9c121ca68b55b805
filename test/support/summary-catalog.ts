import { getNamedType, isObjectType } from 'graphql'
import { subgraphs } from '../../subgraphs'
import { api, lists, type List } from './list-catalog'
import type { SummaryField } from './expected-summary'

/** A summary at the root with the list that it is about. */
export interface SummaryCase {
  /** `transactionSummary` */
  name: string
  list: List
  dimensions: readonly SummaryField[]
  /** Those that every row tells as well. */
  measures: readonly SummaryField[]
  /** Those that are told of several rows together only. */
  protectedMeasures: readonly string[]
}

/** Every summary of the product, derived from the composed schema and the marks. */
export const summaries: readonly SummaryCase[] = Object.values(api.getQueryType()!.getFields()).flatMap(
  (field) => {
    const type = getNamedType(field.type)
    const base = /^(\w+)Summary$/.exec(type.name)?.[1]
    if (!base || !isObjectType(type) || !type.getFields()['otherGroups']) return []
    const list = lists.find(({ node }) => node.name === base)
    if (!list) throw new Error(`${field.name} has no list`)
    const marks = subgraphs.find(({ name }) => name === list.subgraph)!.summarized.get(base)!
    const dimensions = marks.group.map(({ field: { name }, isReference, typeName }): SummaryField => {
      const kind = isReference ? 'reference' : /^Date/.test(typeName) ? 'time' : 'value'
      const value = name.value.replace(/([A-Z]|\d+)/g, '_$1').toUpperCase()
      return { name: name.value, value, kind }
    })
    const open = marks.measure.filter(({ minGroup }) => minGroup === undefined)
    const measures = open.map(({ field: { name }, typeName }): SummaryField => ({
      name: name.value,
      value: name.value.replace(/([A-Z]|\d+)/g, '_$1').toUpperCase(),
      kind: typeName === 'Money' ? 'money' : 'number',
    }))
    const hidden = marks.measure.filter(({ minGroup }) => minGroup !== undefined)
    return [
      {
        name: field.name,
        list,
        dimensions,
        measures,
        protectedMeasures: hidden.map(({ field: one }) => one.name.value),
      },
    ]
  },
)

const statistics = {
  money:
    '{ currency count sum { amount currency } average { amount currency } smallest { amount currency } largest { amount currency } }',
  number: '{ count sum average smallest largest }',
}

/** One operation for a summary, whatever it is asked. */
export function summaryQuery({ name, list, dimensions, measures }: SummaryCase): string {
  const keys = dimensions.map((one) =>
    one.kind === 'reference'
      ? `${one.name} { id }`
      : one.kind === 'time'
        ? `${one.name} { start end firstDay }`
        : one.name,
  )
  const measured = measures
    .map((one) => `${one.name} ${statistics[one.kind as 'money' | 'number']}`)
    .join(' ')
  const isTimed = dimensions.some(({ kind }) => kind === 'time')
  const declared = [
    `filter: ${list.node.name}Filter`,
    `groupBy: [${list.node.name}Dimension!]!`,
    'first: Int',
    'fresh: Boolean!',
    `orderBy: ${list.node.name}SummaryOrder`,
    ...(isTimed ? ['per: TimeBucket', 'timeZone: TimeZone', 'fillGaps: Boolean! = false'] : []),
  ]
  const passed = declared.map((one) => one.split(':')[0]!).map((argument) => `${argument}: $${argument}`)
  return `query (${declared.map((one) => `$${one}`).join(', ')}) { summary: ${name}(${passed.join(', ')}) {
    groups { key { ${keys.join(' ')} } count ${measured} } total { count ${measured} }
    otherGroups timeZone asOf complete } }`
}

/** What to read of each row of the list, so that its groups can be worked out. */
export function rowSelection({ list, dimensions, measures }: SummaryCase): string {
  const fields = list.node.getFields()
  const shown = [...dimensions, ...measures].map(({ name, kind }) =>
    kind === 'reference' ? `${name} { id }` : kind === 'money' ? `${name} { amount currency }` : name,
  )
  return ['id', ...shown.filter((one) => fields[one.split(' ')[0]!])].join(' ')
}
