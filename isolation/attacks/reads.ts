import { getNamedType, isRequiredArgument } from 'graphql'
import { uuidv7 } from '../../kernel/id'
import { inputValue, queryOf, selectionOf } from '../documents'
import { comparable, type Answer, type Asker } from '../askers'
import type { Lab } from '../lab'
import { attacker, type AttackedTenant } from '../population'
import { filterOf, listDocument, orderOf, ownIds, valuesAt, type Question } from '../questions'
import { targetOf } from '../targets'

/**
 * Every filter and every order of every connection, with values by which the victims themselves find rows.
 * @param types only the connections of these
 */
export async function listQuestions(
  lab: Lab,
  victims: readonly AttackedTenant[],
  types?: ReadonlySet<string>,
): Promise<Question[]> {
  const questions = new Map<string, Question>()
  for (const connection of lab.surface.connections) {
    const { name, node, filters, orders } = connection
    if (types && !types.has(node)) continue
    const query = listDocument(lab, connection)
    const ask = (where: string, attacks: Question['attacks'], variables: Record<string, unknown>) =>
      questions.set(`${name} ${JSON.stringify(variables)}`, {
        where,
        query,
        variables: { first: 10, ...variables },
        attacks,
      })
    for (const victim of victims) {
      const { required, filterValues } = await targetOf(lab, victim, connection)
      ask(name, ['connection', name], required)
      for (const order of orders)
        ask(`${name} by ${order}`, ['order', `${name} ${order}`], { ...required, ...orderOf(order) })
      for (const filter of filters) {
        const path = filter.path.join('.')
        // Where the victim finds nothing there is nothing to aim with, and the report says so.
        if (!filterValues.has(path)) continue
        ask(`${name} filter ${path} of ${victim.slug}`, ['filter', `${name} ${path}`], {
          ...required,
          filter: filterOf(lab, connection, path, filterValues.get(path)),
        })
      }
    }
  }
  return [...questions.values()]
}

/** Asks all questions, several at a time, and returns the answers in order. */
export async function askAll(lab: Lab, asker: Asker, questions: readonly Question[]): Promise<string[]> {
  const answers: string[] = []
  const waiting = questions.map((question, place) => ({ question, place }))
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { where, query, variables, attacks } = next.question
      const answer = await lab.ask(asker, where, query, variables)
      if (attacks && isAnswered(answer)) lab.coverage.attacked(...attacks)
      answers[next.place] = comparable(answer, '\u0000')
    }
  }
  await Promise.all(Array.from({ length: 6 }, worker))
  return answers
}

/**
 * Tells whether the product answered what was asked, be it with nothing: a question that it refuses attacks nothing.
 */
function isAnswered({ data, errors = [] }: Answer): boolean {
  return Boolean(data) && !errors.some(({ extensions }) => extensions?.['code'] === 'BAD_USER_INPUT')
}

/**
 * Every place for an id, asked with a victim's id and with an id that nobody has: the answers must be equal, and so
 * must be what the product asks of the database. Rows that are everybody's must be the same to both.
 */
export async function attackIds(lab: Lab, victims: readonly AttackedTenant[]): Promise<void> {
  const asker = await lab.as(attacker)
  const ids = ownIds(lab)
  for (const { name, parent, field, argument, type } of lab.surface.idArguments) {
    const query = queryOf(parent, field, selectionOf(field.type, 1, ids), ids)
    for (const victim of victims) {
      const ask = (id: string, who = asker) => {
        const values = field.args
          .filter((one) => one.name === argument || isRequiredArgument(one))
          .map((one) => [
            one.name,
            inputValue(one.type, { ids: (path) => (one.name === argument ? id : ids(path)) }, [one.name]),
          ])
        return lab.ask(who, name, query, Object.fromEntries(values))
      }
      const { id, theirs, isShown } = await firstShown(lab, victim, type, async (one) => {
        const answer = await ask(one, await lab.as(victim))
        return [answer, valuesAt(answer.data, [...parent.map(({ name: at }) => at), field.name])]
      })
      if (isShown) lab.coverage.shown('id argument', name)
      if (isEverybodys(lab, type)) {
        if (comparable(await ask(id), '\0') !== comparable(theirs, '\0'))
          lab.found('reference data', name, `is not the same to ${victim.slug}`)
      } else await sameAsUnknown(lab, name, id, ask)
      lab.coverage.attacked('id argument', name)
    }
  }
  for (const connection of lab.surface.connections) {
    const { name, node, filters } = connection
    if (isEverybodys(lab, node)) continue
    for (const filter of filters.filter((one) => getNamedType(one.type).name === 'ID')) {
      const path = filter.path.join('.')
      for (const victim of victims) {
        const { required, filterValues } = await targetOf(lab, victim, connection)
        const [id] = [filterValues.get(path)].flat()
        if (typeof id !== 'string') continue
        await sameAsUnknown(lab, `${name} filter ${path}`, id, (value) => {
          const given = Array.isArray(filterValues.get(path)) ? [value] : value
          const variables = { ...required, first: 2, filter: filterOf(lab, connection, path, given) }
          return lab.ask(asker, name, listDocument(lab, connection), variables)
        })
      }
    }
  }
}

/** Rows of a victim that are tried until one shows it something. */
const mostOwn = 10

/** Returns the latest id by which a victim itself is shown something; the latest of all where none does. */
async function firstShown(
  lab: Lab,
  victim: AttackedTenant,
  type: string,
  ask: (id: string) => Promise<[Answer, unknown[]]>,
): Promise<{ id: string; theirs: Answer; isShown: boolean }> {
  const [latest, ...others] = [
    lab.rows.id(victim, type),
    ...lab.rows
      .samples(victim, type)
      .slice(1, mostOwn)
      .map(({ id }) => String(id)),
  ]
  const [theirs, values] = await ask(latest!)
  if (values.length > 0) return { id: latest!, theirs, isShown: true }
  for (const id of others) {
    const [answer, found] = await ask(id)
    if (found.length > 0) return { id, theirs: answer, isShown: true }
  }
  return { id: latest!, theirs, isShown: false }
}

/** Tells whether the rows of a type are the same for every tenant. */
function isEverybodys(lab: Lab, type: string): boolean {
  return type !== 'Tenant' && lab.models.get(type)?.tenantOwned === false
}

/**
 * Asks with an unknown id, then with the foreign one, and reports any difference.
 * @returns what the unknown id was answered, without it
 */
export async function sameAsUnknown(
  lab: Lab,
  where: string,
  foreign: string,
  ask: (id: string) => ReturnType<Lab['ask']>,
): Promise<string> {
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
  return expected
}
