import {
  getNamedType,
  isInputObjectType,
  isObjectType,
  isRequiredInputField,
  type GraphQLInputType,
} from 'graphql'
import { uuidv7 } from '../../kernel/id'
import { inputValue, selectionOf, type Field } from '../documents'
import { comparable, type Answer } from '../askers'
import type { Lab } from '../lab'
import { attacker, type AttackedTenant } from '../population'
import type { IdPlace, MutationPlace } from '../surface'
import { stateOf } from '../witness'
import { sameAsUnknown } from './reads'

/**
 * Every mutation with a valid input, every id inside its input with a victim's, every value that must be unique with
 * one that a victim uses. Nothing may differ from unknown ids and unused values, and no victim may change.
 */
export async function attackMutations(lab: Lab, victims: readonly AttackedTenant[]): Promise<void> {
  let before = await stateOf(lab.client, victims)
  for (const place of lab.surface.mutations) {
    lab.coverage.attacked('mutation', place.field.name)
    // The mutations before may have removed what there was.
    await lab.rows.refresh(attacker, [place.type, ...place.ids.map(({ type }) => type)])
    for (const id of place.ids) {
      const path = id.path.join('.')
      const name = `${place.field.name} ${path}`
      lab.coverage.attacked('id in an input', name)
      for (const victim of victims) {
        const foreign = lab.rows.id(victim, id.type)
        // Alone among ids that nobody has, and among the attacker's own, which lead further into the mutation.
        for (const others of ['unknown', 'own'] as const) {
          await sameAsUnknown(lab, `${name}, other ids ${others}`, foreign, (value) =>
            ask(lab, place, { [path]: value }, others),
          )
        }
      }
      await attackBesideOwn(lab, place, id, victims)
    }
    for (const unique of place.uniques)
      for (const victim of victims) await attackUnique(lab, place, unique, victim)
    if (place.isRepeatable) for (const victim of victims) await attackIdempotencyKey(lab, place, victim)
    await ask(lab, place, {}, 'own')
    await lab.renew(attacker)
    const after = await stateOf(lab.client, victims)
    for (const [table, state] of after)
      if (before.get(table) !== state)
        lab.found('mutation', place.field.name, `changed rows of another tenant in ${table}`)
    before = after
  }
}

/**
 * With an id of the attacker's own the mutation must say something else than with one that nobody has, or it never looked
 * at the id and the attack says nothing. Some rows let it go further than others: they are tried until one does.
 */
async function attackBesideOwn(
  lab: Lab,
  place: MutationPlace,
  { path, type }: IdPlace,
  victims: readonly AttackedTenant[],
): Promise<void> {
  const at = path.join('.')
  const subjects = subjectsOf(lab, place, at)
  const owns = lab.rows.samples(attacker, type).map(({ id }) => String(id))
  // The latest with each subject, then the others with the first: of a row that is closed or erased nothing more is said.
  const tries = [
    ...subjects.map((subject) => ({ subject, own: owns[0]! })),
    ...owns.slice(1, mostOwns).map((own) => ({ subject: subjects[0]!, own })),
  ]
  for (const { subject, own } of tries) {
    const outcome = async (value: string) => {
      const names = unusedNames(place)
      const answer = await ask(lab, place, { ...names, ...subject, [at]: value }, 'own')
      return Object.values(names).reduce(
        (text, name) => text.replaceAll(name, 'NAME'),
        comparable(answer, value),
      )
    }
    const unknown = await outcome(uuidv7())
    const foreign: string[] = []
    for (const victim of victims) foreign.push(await outcome(lab.rows.id(victim, type)))
    const isUnknown = (await outcome(own)) === unknown
    // It may have been the session that asks.
    await lab.renew(attacker)
    if (isUnknown) continue
    lab.coverage.shown('id in an input', `${place.field.name} ${at}`)
    if (foreign.some((one) => one !== unknown))
      lab.found('foreign id', `${place.field.name} ${at}`, `is answered ${foreign.join(' ')}, not ${unknown}`)
    return
  }
}

/** A new text for each unique one that the input cannot do without: a name of a former attempt would be told of first. */
function unusedNames({ input, uniques }: MutationPlace): Record<string, string> {
  const type = getNamedType(input)
  const fields = isInputObjectType(type) ? type.getFields() : {}
  return Object.fromEntries(
    uniques.flatMap(({ path }) => {
      const field = fields[path.join('.')]
      if (!field || !isRequiredInputField(field)) return []
      const text = `unused-${++unused}`
      return [[field.name, getNamedType(field.type).name === 'EmailAddress' ? `${text}@else.example` : text]]
    }),
  )
}

/** Rows of the attacker's own that are tried in place of what it steals. */
const mostOwns = 10
/** Rows that are tried for the other ids of a mutation. */
const mostSubjects = 20

/** Returns what a mutation may be about, by its other ids: the attacker's latest rows, the second latest, and so on. */
function subjectsOf(lab: Lab, { ids }: MutationPlace, attacked: string): Record<string, unknown>[] {
  const others = ids.filter(({ path }) => path.join('.') !== attacked)
  if (others.length === 0) return [{}]
  return Array.from({ length: mostSubjects }, (_, place) =>
    Object.fromEntries(
      others.flatMap(({ path, type }) => {
        const samples = lab.rows.samples(attacker, type)
        const row = samples[place % samples.length]!
        const at = path.join('.')
        return [[at, row['id']], ...(at === 'id' ? [['expectedVersion', row['version']]] : [])]
      }),
    ),
  )
}

async function ask(
  lab: Lab,
  place: MutationPlace,
  given: Readonly<Record<string, unknown>>,
  others: 'unknown' | 'own',
): Promise<Answer> {
  const asker = await lab.as(attacker)
  const { field, input, ids, type } = place
  const typeOf = (path: readonly string[]) =>
    ids.find((one) => one.path.join('.') === path.join('.'))?.type ?? type
  const own = (path: readonly string[]) => lab.rows.id(attacker, typeOf(path))
  // Where none need be given, giving one says that there is a row.
  const version = needsVersion(input) ? await versionNow(lab, type) : null
  const value =
    input &&
    inputValue(input, {
      ids: others === 'own' ? own : () => uuidv7(),
      given: { ...(typeof version === 'number' ? { expectedVersion: version } : {}), ...given },
    })
  const declared = input ? `($input: ${input.toString()})` : ''
  const args = input ? '(input: $input)' : ''
  const query = `mutation Q${declared} { payload: ${field.name}${args} ${selectionOf(field.type, depthOf(lab, field), own)} }`
  return lab.ask(asker, `mutation ${field.name}`, query, { input: value })
}

const needsVersion = (input: GraphQLInputType | null): boolean => {
  const type = getNamedType(input)
  const field = isInputObjectType(type) ? type.getFields()['expectedVersion'] : undefined
  return field !== undefined && isRequiredInputField(field)
}

/** One level deeper where the payload shows what no query reaches. */
function depthOf(lab: Lab, field: Field): number {
  const payload = getNamedType(field.type)
  const shown = isObjectType(payload)
    ? Object.values(payload.getFields()).map((one) => getNamedType(one.type))
    : []
  return shown.some(
    (type) => isObjectType(type) && 'id' in type.getFields() && !lab.surface.paths.has(type.name),
  )
    ? 3
    : 2
}

/** Returns what an update must expect of the attacker's own row, which earlier attacks may have changed. */
async function versionNow(lab: Lab, type: string): Promise<number | null> {
  const model = lab.models.get(type)
  if (!model?.columns.has('version')) return null
  const text = `SELECT version FROM ${model.table} WHERE id = $1`
  const { rows } = await lab.client.query<{ version: number }>(text, [lab.rows.id(attacker, type)])
  return rows[0]?.version ?? null
}

/** A value that only a victim uses must be as free as one that nobody uses. */
async function attackUnique(
  lab: Lab,
  place: MutationPlace,
  { path, property }: MutationPlace['uniques'][number],
  victim: AttackedTenant,
): Promise<void> {
  const at = path.join('.')
  const theirs = await onlyTheirs(lab, victim, place, property)
  if (!theirs) return
  lab.coverage.attacked('unique key', `${place.field.name} ${at}`)
  const outcome = (value: string) => outcomeOf(lab, place, at, value, theirs)
  const taken = theirs[at]!
  // Before and after: some mutations can be done once only, whatever the value.
  const before = await outcome(unusedText(taken))
  const found = await outcome(taken)
  const after = await outcome(unusedText(taken))
  if (found !== before && found !== after)
    lab.found(
      'unique key',
      `${place.field.name} ${at}`,
      `answers ${found} for a value of ${victim.slug}, and ${before} for an unused one`,
    )
}

/** Returns what became of a mutation with a value at a path of its input, without what it shows of rows. */
async function outcomeOf(
  lab: Lab,
  place: MutationPlace,
  path: string,
  value: string,
  given: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const answer = await ask(lab, place, { ...given, [path]: value }, 'own')
  const { payload } = (answer.data ?? {}) as {
    payload?: { userErrors?: { code?: string; message?: string }[] } | null
  }
  return comparable({ ...answer, data: { userErrors: payload?.userErrors ?? null } }, value)
}

/** A key that a victim has used, were it even by a user with the attacker's id, must be as good as one that nobody has. */
async function attackIdempotencyKey(lab: Lab, place: MutationPlace, victim: AttackedTenant): Promise<void> {
  const { name } = place.field
  const { userId } = await lab.as(attacker)
  lab.coverage.attacked('idempotency key', name)
  const used = uuidv7()
  await lab.client.query(
    `INSERT INTO shared.idempotency_keys (tenant_id, actor_id, operation, key, input_hash, created_at)
     VALUES ($1, $2, $3, $4, 'of another input', now())`,
    [victim.id, userId, name, used],
  )
  const outcome = (key: string) => outcomeOf(lab, place, 'idempotencyKey', key)
  // Before and after, as above.
  const before = await outcome(uuidv7())
  const found = await outcome(used)
  const after = await outcome(uuidv7())
  await lab.client.query('DELETE FROM shared.idempotency_keys WHERE tenant_id = $1 AND key = $2', [
    victim.id,
    used,
  ])
  if (found !== before && found !== after)
    lab.found(
      'idempotency key',
      name,
      `answers ${found} for a key of ${victim.slug}, ${before} for a new one`,
    )
}

/**
 * Values of a victim's row for all inputs that are unique, or parts of a key, which the attacker has together in none; null
 * for a twin, whose values are the attacker's too.
 */
async function onlyTheirs(
  lab: Lab,
  victim: AttackedTenant,
  { type, uniques }: MutationPlace,
  property: string,
): Promise<Record<string, string> | null> {
  const model = lab.models.get(type)!
  const column = (name: string) => model.columns.get(name)!.sql
  const columns = uniques.map((one) => `${column(one.property)}::text`).join(', ')
  const has = `${column(property)} IS NOT NULL`
  const text = `SELECT ${columns} FROM ${model.table} WHERE tenant_id = $1 AND ${has}
    EXCEPT SELECT ${columns} FROM ${model.table} WHERE tenant_id = $2 ORDER BY 1 DESC LIMIT 1`
  const values = [victim.id, attacker.id]
  const { rows } = await lab.client.query<(string | null)[]>({ text, values, rowMode: 'array' })
  const [row] = rows
  if (!row) return null
  return Object.fromEntries(
    uniques.flatMap(({ path }, place) => (row[place] === null ? [] : [[path.join('.'), row[place]!]])),
  )
}

let unused = 0

/** A text of the same shape that nobody uses, another one each time: its last letters and digits are changed. */
function unusedText(text: string): string {
  let left = ++unused
  const changed = [...text].reverse().map((letter) => {
    const [first, size] = /\d/.test(letter) ? ['0', 10] : /[a-z]/.test(letter) ? ['a', 26] : ['A', 26]
    if (left === 0 || !/[\da-z]/i.test(letter)) return letter
    const next = (letter.charCodeAt(0) - first.charCodeAt(0) + (left % size)) % size
    left = Math.floor(left / size)
    return String.fromCharCode(first.charCodeAt(0) + next)
  })
  return changed.reverse().join('')
}
