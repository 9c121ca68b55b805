import { getNamedType, isObjectType } from 'graphql'
import { uuidv7 } from '../../kernel/id'
import { inputValue, selectionOf, type Field } from '../documents'
import { comparable, type Answer, type Lab } from '../lab'
import { attacker, type AttackedTenant } from '../population'
import type { MutationPlace } from '../surface'
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
      const refused = new Set<string>()
      for (const victim of victims) {
        const foreign = lab.rows.id(victim, id.type)
        // Alone among ids that nobody has, and among the attacker's own, which lead further into the mutation.
        for (const others of ['unknown', 'own'] as const) {
          const unknown = await sameAsUnknown(lab, `${name}, other ids ${others}`, foreign, (value) =>
            ask(lab, place, { [path]: value }, others),
          )
          refused.add(unknown)
        }
      }
      // With an id of their own the mutation must say something else, or it never looked at the id.
      const own = lab.rows.id(attacker, id.type)
      if (!refused.has(comparable(await ask(lab, place, { [path]: own }, 'own'), own)))
        lab.coverage.shown('id in an input', name)
    }
    for (const { path, property } of place.uniques) {
      for (const victim of victims) await attackUnique(lab, place, path.join('.'), property, victim)
    }
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
  const version = await versionNow(lab, type)
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

/** What an update must expect of the attacker's own row, which earlier attacks may have changed. */
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
  path: string,
  property: string,
  victim: AttackedTenant,
): Promise<void> {
  const taken = lab.rows.samples(victim, place.type).find((row) => typeof row[property] === 'string')?.[
    property
  ]
  if (typeof taken !== 'string' || (await attackerUses(lab, place.type, property, taken))) return
  lab.coverage.attacked('unique key', `${place.field.name} ${path}`)
  const outcome = (value: string) => outcomeOf(lab, place, path, value)
  // Before and after: some mutations can be done once only, whatever the value.
  const before = await outcome(otherText(taken))
  const found = await outcome(taken)
  const after = await outcome(otherText(otherText(taken)))
  if (found !== before && found !== after)
    lab.found(
      'unique key',
      `${place.field.name} ${path}`,
      `answers ${found} for a value of ${victim.slug}, and ${before} for an unused one`,
    )
}

/** What became of a mutation with a value at a path of its input, without what it shows of rows. */
async function outcomeOf(lab: Lab, place: MutationPlace, path: string, value: string): Promise<string> {
  const answer = await ask(lab, place, { [path]: value }, 'own')
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

/** A twin's values are the attacker's too. */
async function attackerUses(lab: Lab, type: string, property: string, value: string): Promise<boolean> {
  const model = lab.models.get(type)!
  const text = `SELECT FROM ${model.table} WHERE tenant_id = $1 AND ${model.columns.get(property)!.sql}::text = $2`
  const { rowCount } = await lab.client.query(text, [attacker.id, value])
  return rowCount !== 0
}

/** A text of the same shape that nobody uses: its last digit or letter is another one. */
function otherText(text: string): string {
  const shape = /\d/.test(text) ? /\d(?=\D*$)/ : /[a-z](?=[^a-z]*$)/i
  return text.replace(shape, (last) =>
    /\d/.test(last) ? String((Number(last) + 3) % 10) : last === 'q' ? 'z' : 'q',
  )
}
