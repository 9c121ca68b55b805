import type { Client } from 'pg'
import { subgraphs } from '../../subgraphs'
import { readDeclarations, type Requirement } from '../../kernel/access/access'
import type { Viewer } from '../../kernel/context'
import type { EntityModel } from '../../kernel/schema/entity-model'
import type { Policies } from '../../kernel/policy'
import { typePolicies } from '../../kernel/access/row-rules'
import type { Asker } from '../askers'
import type { Lab } from '../lab'
import { attacker, tenantTables, withoutTriggers } from '../population'
import type { Row } from '../rows'
import { fieldQuestions, type Question } from '../questions'
import { askAll, listQuestions } from './reads'

/** Describes what one viewer may not see of one entity. */
interface Secrets {
  model: EntityModel
  /** Field → the properties that only it shows, and the rows of which it is denied. */
  fields: { name: string; properties: string[]; ids: string[] }[]
  /** Rows that do not exist for the viewer. */
  hidden: string[]
}

/**
 * Inside one tenant: what a viewer may not see is changed behind their back, by exchanging the values among the rows,
 * emptying some and taking hidden rows away. Not a letter of any answer to that viewer may change: neither value, order,
 * filter, count, error nor null.
 */
export async function attackColumns(lab: Lab, users: readonly string[]): Promise<void> {
  for (const user of users) {
    const asker = await lab.as(attacker, user)
    const secrets = await secretsOf(lab, asker)
    const types = new Set(secrets.map(({ model }) => model.name))
    if (types.size === 0) continue
    const questions = [...fieldQuestions(lab), ...(await listQuestions(lab, [attacker], types))]
    const before = await settledAnswers(lab, asker, questions)
    const { changed, restore } = await changeSecrets(lab, secrets)
    const after = await askAll(lab, asker, questions)
    await restore()
    questions.forEach(({ where }, place) => {
      if (before[place] !== after[place])
        lab.found('inference', `${where}, asked by ${user}`, firstDifference(before[place]!, after[place]!))
    })
    for (const { model, fields } of secrets) {
      for (const { name } of fields) {
        const field = `${model.name}.${name}`
        lab.coverage.attacked('restricted field', field)
        if (changed.has(field)) lab.coverage.shown('restricted field', field)
      }
    }
  }
}

/** Answers that asking itself does not change any more: denials are audited, and the audit trail is asked for too. */
async function settledAnswers(lab: Lab, asker: Asker, questions: readonly Question[]): Promise<string[]> {
  let answers = await askAll(lab, asker, questions)
  for (let turn = 0; turn < 3; turn++) {
    const before = answers
    answers = await askAll(lab, asker, questions)
    if (answers.every((answer, place) => answer === before[place])) break
  }
  return answers
}

function firstDifference(before: string, after: string): string {
  const place = [...before].findIndex((letter, index) => letter !== after[index])
  const from = Math.max(0, place - 80)
  return `shows what was changed: …${before.slice(from, place + 80)}… became …${after.slice(from, place + 80)}…`
}

async function secretsOf(lab: Lab, asker: Asker): Promise<Secrets[]> {
  const { data } = await lab.ask(asker, 'own permissions', '{ viewer { id permissions } }')
  const permissions = (data?.['viewer'] as { permissions: string[] } | null)?.permissions
  // Only without a wall: then there is nothing to compare either.
  if (!permissions) return []
  const viewer: Viewer = {
    tenantId: asker.tenant.id,
    userId: asker.userId,
    sessionId: null,
    permissionVersion: 1,
    scopes: new Set(permissions),
  }
  const secrets: Secrets[] = []
  for (const { typeDefs, policies, entities } of subgraphs) {
    const declarations = readDeclarations(typeDefs)
    for (const { name } of entities) {
      const model = lab.models.get(name)
      const declared = declarations.types.get(name)
      if (!model?.tenantOwned || !declared) continue
      const rows = await rowsOf(lab.client, model)
      const denied = (requirements: readonly Requirement[]) =>
        rows
          .filter((row) => !requirements.every((one) => holds(one, policies, viewer, row)))
          .map(({ id }) => String(id))
      const hidden = denied(typePolicies(name, declarations))
      const restricted = [...declared.fields.values()].flatMap(({ field, access }) => {
        const properties = (model.fields.get(field) ?? []).filter((one) => model.restricted.has(one))
        const ids = new Set(access ? denied(access.requirements) : [])
        return properties.length > 0 ? [{ name: field, properties, ids }] : []
      })
      // What another field shows of a row is no secret of this one.
      const isSecret = (properties: readonly string[], id: string) =>
        restricted.every(
          (one) => one.ids.has(id) || !one.properties.some((name) => properties.includes(name)),
        )
      const fields = restricted.flatMap(({ name, properties, ids: all }) => {
        const ids = [...all].filter((id) => isSecret(properties, id))
        return ids.length > 0 ? [{ name, properties, ids }] : []
      })
      if (fields.length > 0 || hidden.length > 0) secrets.push({ model, fields, hidden })
    }
  }
  return secrets
}

function holds(requirement: Requirement, policies: Policies, viewer: Viewer, row: Row): boolean {
  const met = (name: string) =>
    requirement.kind === 'scopes' ? viewer.scopes.has(name) : policies[name]!.allow(viewer, row)
  return requirement.anyOf.some((group) => group.every(met))
}

async function rowsOf(client: Client, model: EntityModel): Promise<Row[]> {
  const text = `SELECT to_jsonb(t) AS row FROM ${model.table} t WHERE tenant_id = $1`
  const { rows } = await client.query<{ row: Record<string, unknown> }>(text, [attacker.id])
  const columns = [...model.columns.values()]
  return rows.map(({ row }) =>
    Object.fromEntries(columns.map(({ property, sql }) => [property, row[sql.slice(1, -1)]])),
  )
}

/**
 * Exchanges the secret values among their rows, empties every third, and takes hidden rows away until `restore`.
 * Meanwhile their tables check nothing: values are exchanged without what belongs to them.
 * @returns `changed`: the fields of which a value is another one than before
 */
async function changeSecrets(
  lab: Lab,
  secrets: readonly Secrets[],
): Promise<{ changed: ReadonlySet<string>; restore: () => Promise<void> }> {
  const changed = new Set<string>()
  const undo: { text: string; values?: unknown[] }[] = []
  await withoutTriggers(lab.stage, async (client) => {
    const columns = new Map(
      (await tenantTables(client)).map((table) => [table.name, table.columns.join(', ')]),
    )
    for (const { model, fields, hidden } of secrets) {
      const { table } = model
      const name = table.replaceAll('"', '')
      const read = `SELECT json_agg(t)::text AS rows FROM ${table} t WHERE tenant_id = $1`
      const before = await client.query<{ rows: string }>(read, [attacker.id])
      undo.push(
        { text: `DELETE FROM ${table} WHERE tenant_id = $1`, values: [attacker.id] },
        {
          text: `INSERT INTO ${table} (${columns.get(name)}) SELECT ${columns.get(name)} FROM json_populate_recordset(NULL::${table}, $1)`,
          values: [before.rows[0]!.rows],
        },
        ...(await dropChecks(client, table)),
      )
      for (const { name: field, properties, ids } of fields)
        if (await exchange(client, model, properties, ids)) changed.add(`${model.name}.${field}`)
      const hide = `DELETE FROM ${table} WHERE tenant_id = $1 AND id = ANY ($2)`
      await client.query(hide, [attacker.id, hidden])
    }
  })
  const restore = () =>
    withoutTriggers(lab.stage, async (client) => {
      for (const { text, values } of undo) await client.query(text, values)
    })
  return { changed, restore }
}

/** Takes the checks of a table away, and returns what puts them back. */
async function dropChecks(client: Client, table: string): Promise<{ text: string }[]> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `SELECT quote_ident(conname) AS name, pg_get_constraintdef(oid) AS definition
       FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'c'`,
    [table],
  )
  for (const { name } of rows) {
    const drop = `ALTER TABLE ${table} DROP CONSTRAINT ${name}`
    await client.query(drop)
  }
  return rows.map(({ name, definition }) => ({
    text: `ALTER TABLE ${table} ADD CONSTRAINT ${name} ${definition}`,
  }))
}

/** Tells whether a value is another one then. */
async function exchange(
  client: Client,
  model: EntityModel,
  properties: readonly string[],
  ids: readonly string[],
): Promise<boolean> {
  const columns = properties.map((property) => model.columns.get(property)!)
  const set = columns.map(({ sql, nullable }) =>
    nullable
      ? `${sql} = CASE WHEN mine.place % 3 = 0 THEN NULL ELSE other.${sql} END`
      : `${sql} = other.${sql}`,
  )
  const copy = `CREATE TEMP TABLE ordered ON COMMIT DROP AS
    SELECT t.*, row_number() OVER (ORDER BY id) AS place, count(*) OVER () AS total FROM ${model.table} t WHERE false`
  const fill = `INSERT INTO ordered SELECT t.*, row_number() OVER (ORDER BY id), count(*) OVER ()
    FROM ${model.table} t WHERE tenant_id = $1 AND id = ANY ($2)`
  await client.query(copy)
  await client.query(fill, [attacker.id, ids])
  // Emptied first: a unique value cannot be in two rows even for a moment.
  const emptied = columns.filter(({ nullable }) => nullable).map(({ sql }) => `${sql} = NULL`)
  if (emptied.length > 0) {
    const empty = `UPDATE ${model.table} t SET ${emptied.join(', ')} WHERE tenant_id = $1 AND id = ANY ($2)`
    await client.query(empty, [attacker.id, ids])
  }
  const text = `UPDATE ${model.table} t SET ${set.join(', ')}
       FROM ordered mine JOIN ordered other ON other.place = mine.place % mine.total + 1
      WHERE t.tenant_id = $1 AND t.id = mine.id
     RETURNING ${columns.map(({ sql }) => `t.${sql} IS DISTINCT FROM mine.${sql}`).join(' OR ')} AS differs`
  const { rows } = await client.query<{ differs: boolean }>(text, [attacker.id])
  await client.query('DROP TABLE ordered')
  return rows.some(({ differs }) => differs)
}
