import { getNamedType, isCompositeType, isObjectType, isRequiredArgument } from 'graphql'
import { uuidv7 } from '../../kernel/id'
import {
  argumentsOf,
  inputValue,
  isWrapper,
  leavesOf,
  queryAlong,
  queryOf,
  selectionOf,
  type Field,
} from '../documents'
import { comparable, type Asker, type Lab } from '../lab'
import { attacker, type AttackedTenant } from '../population'
import type { ConnectionPlace } from '../surface'
import { filterValue } from './values'

/** A question that can be asked again. */
export interface Question {
  where: string
  query: string
  variables?: Record<string, unknown>
}

/** Ids of the asker's own, where a document cannot do without one. */
export const ownIds = (lab: Lab) => (path: readonly string[]) =>
  lab.rows.id(attacker, idType(lab, path.at(-1) ?? ''))

function idType(lab: Lab, name: string): string {
  return [...lab.models.keys()].find((type) => `${type}Id`.toLowerCase() === name.toLowerCase()) ?? 'User'
}

/** Every field of every type that a query can reach, along the shortest way to it. */
export function fieldQuestions(lab: Lab): Question[] {
  const ids = ownIds(lab)
  const ofTypes = lab.surface.objects.flatMap((type) => {
    const path = lab.surface.paths.get(type.name)
    if (!path || isWrapper(type.name)) return []
    const inner = Object.values(type.getFields())
      .filter((field) => isCompositeType(getNamedType(field.type)))
      .map((field) => `${field.name}${argumentsOf(field, ids)} ${selectionOf(field.type, 1, ids)}`)
    return [{ where: type.name, query: queryAlong(path, [leavesOf(type), ...inner].join(' '), ids) }]
  })
  const ofRoots = Object.values(lab.api.getQueryType()!.getFields()).map((field) => ({
    where: `Query.${field.name}`,
    query: queryAlong([], `${field.name}${argumentsOf(field, ids)} ${selectionOf(field.type, 2, ids)}`, ids),
  }))
  return [...ofTypes, ...ofRoots]
}

/** The one document for all questions to a connection. */
export function listDocument(lab: Lab, { parent, field, node }: ConnectionPlace): string {
  const type = lab.api.getType(node)
  const leaves = isObjectType(type) ? leavesOf(type) : '__typename'
  const selection = `{ __typename nodes { ${leaves} } edges { cursor node { __typename } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } ${hasCount(field) ? 'totalCount' : ''} }`
  return queryOf(parent, field, selection, ownIds(lab))
}

function hasCount(field: Field): boolean {
  const type = getNamedType(field.type)
  return isObjectType(type) && 'totalCount' in type.getFields()
}

export function orderOf(order: string): Record<string, unknown> {
  const [field, direction] = order.split(' ')
  return field ? { orderBy: { field, direction } } : {}
}

/** Every filter and every order of every connection, filters with what the victims' rows hold. */
export function listQuestions(
  lab: Lab,
  victims: readonly AttackedTenant[],
  types?: ReadonlySet<string>,
): Question[] {
  return lab.surface.connections.flatMap((connection) => {
    const { name, node, filters, orders } = connection
    if (types && !types.has(node)) return []
    const query = listDocument(lab, connection)
    const ask = (where: string, variables: Record<string, unknown>): Question => ({
      where,
      query,
      variables: { first: 10, ...variables },
    })
    lab.coverage.attacked('connection', name)
    return [
      ask(name, {}),
      ...orders.map((order) => {
        lab.coverage.attacked('order', `${name} ${order}`)
        return ask(`${name} by ${order}`, orderOf(order))
      }),
      ...filters.flatMap((filter) => {
        const path = filter.path.join('.')
        lab.coverage.attacked('filter', `${name} ${path}`)
        return victims.map((victim) =>
          ask(`${name} filter ${path} of ${victim.slug}`, {
            filter: filterOf(lab, connection, path, filterValue(lab, victim, node, filter)),
          }),
        )
      }),
    ]
  })
}

function filterOf(lab: Lab, { field, filters }: ConnectionPlace, path: string, value: unknown): unknown {
  const type = field.args.find((argument) => argument.name === 'filter')!.type
  // An amount is compared in a currency, which stands beside it.
  const beside = `${path.replace(/[^.]*$/, '')}currency`
  const isAmount = filters.some((one) => one.path.join('.') === beside) && !/\.(currency|isNull)$/.test(path)
  const given = isAmount ? { [beside]: 'EUR', [path]: value } : { [path]: value }
  return inputValue(type, { ids: ownIds(lab), given })
}

/** Asks all questions, several at a time, and returns the answers in order. */
export async function askAll(lab: Lab, asker: Asker, questions: readonly Question[]): Promise<string[]> {
  const answers: string[] = []
  const waiting = questions.map((question, place) => ({ question, place }))
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { where, query, variables } = next.question
      const answer = await lab.ask(asker, where, query, variables)
      answers[next.place] = comparable(answer, '\u0000')
    }
  }
  await Promise.all(Array.from({ length: 6 }, worker))
  return answers
}

/**
 * Every place for an id, asked with a victim's id and with an id that nobody has: the answers must be equal, and so
 * must be what the product asks of the database.
 */
export async function attackIds(lab: Lab, victims: readonly AttackedTenant[]): Promise<void> {
  const asker = await lab.as(attacker)
  const ids = ownIds(lab)
  for (const { name, parent, field, argument, type } of lab.surface.idArguments) {
    lab.coverage.attacked('id argument', name)
    const query = queryOf(parent, field, selectionOf(field.type, 1, ids), ids)
    for (const victim of victims) {
      await sameAsUnknown(lab, name, lab.rows.id(victim, type), (id) => {
        const values = field.args
          .filter((one) => one.name === argument || isRequiredArgument(one))
          .map((one) => [
            one.name,
            inputValue(one.type, { ids: (path) => (one.name === argument ? id : ids(path)) }, [one.name]),
          ])
        return lab.ask(asker, name, query, Object.fromEntries(values))
      })
    }
  }
  for (const connection of lab.surface.connections) {
    const { name, node, filters } = connection
    for (const filter of filters.filter((one) => getNamedType(one.type).name === 'ID')) {
      const path = filter.path.join('.')
      for (const victim of victims) {
        const [id] = [filterValue(lab, victim, node, filter)].flat()
        await sameAsUnknown(lab, `${name} filter ${path}`, String(id), (value) => {
          const given = ['in', 'notIn'].includes(filter.path.at(-1)!) ? [value] : value
          const variables = { first: 2, filter: filterOf(lab, connection, path, given) }
          return lab.ask(asker, name, listDocument(lab, connection), variables)
        })
      }
    }
  }
}

/** Asks with an unknown id, then with the foreign one, and reports any difference. */
export async function sameAsUnknown(
  lab: Lab,
  where: string,
  foreign: string,
  ask: (id: string) => ReturnType<Lab['ask']>,
): Promise<void> {
  // An id of the same time: tables partitioned by time are read by it.
  const unknown = `${foreign.slice(0, 20)}${uuidv7().slice(20)}`
  // Once before, so that neither has to fill a cache.
  await ask(`${foreign.slice(0, 20)}${uuidv7().slice(20)}`)
  const none = await lab.traced(() => ask(unknown))
  const theirs = await lab.traced(() => ask(foreign))
  const [expected, found] = [comparable(none.answer, unknown), comparable(theirs.answer, foreign)]
  if (found !== expected)
    lab.found('foreign id', where, `answers ${found} where an unknown id gives ${expected}`)
  if (theirs.statements.join('\n') !== none.statements.join('\n'))
    lab.found(
      'foreign id',
      where,
      `sends ${theirs.statements.length} statements, for an unknown id ${none.statements.length}, or others`,
    )
}
