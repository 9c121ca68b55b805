import type { Client } from 'pg'
import { subgraphs } from '../../subgraphs'
import { readDeclarations, type Requirement } from '../../kernel/access/access'
import type { Viewer } from '../../kernel/context'
import type { EntityModel } from '../../kernel/schema/entity-model'
import type { Policies } from '../../kernel/policy'
import { typePolicies } from '../../kernel/access/row-rules'
import type { Asker, Lab } from '../lab'
import { attacker, withoutTriggers } from '../population'
import type { Row } from '../rows'
import { askAll, fieldQuestions, listQuestions } from './reads'

/** What one viewer may not see of one entity. */
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
    const questions = [...fieldQuestions(lab), ...listQuestions(lab, [attacker], types)]
    const before = await askAll(lab, asker, questions)
    const restore = await changeSecrets(lab, secrets)
    const after = await askAll(lab, asker, questions)
    await restore()
    questions.forEach(({ where }, place) => {
      if (before[place] !== after[place])
        lab.found('inference', `${where}, asked by ${user}`, firstDifference(before[place]!, after[place]!))
    })
    for (const { model, fields } of secrets)
      for (const { name } of fields) lab.coverage.attacked('restricted field', `${model.name}.${name}`)
  }
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
      const fields = [...declared.fields.values()].flatMap(({ field, access }) => {
        const properties = (model.fields.get(field) ?? []).filter((one) => model.masked.has(one))
        const ids = access ? denied(access.requirements) : []
        return properties.length > 0 && ids.length > 0 ? [{ name: field, properties, ids }] : []
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

/** Exchanges the secret values among their rows, empties every third, and takes hidden rows away until `restore`. */
async function changeSecrets(lab: Lab, secrets: readonly Secrets[]): Promise<() => Promise<void>> {
  const taken: { table: string; columns: string; rows: string }[] = []
  await withoutTriggers(lab.stage, async (client) => {
    for (const { model, fields, hidden } of secrets) {
      for (const { properties, ids } of fields) await exchange(client, model, properties, ids)
      if (hidden.length === 0) continue
      const text = `DELETE FROM ${model.table} t WHERE tenant_id = $1 AND id = ANY ($2) RETURNING to_jsonb(t) AS row`
      const { rows } = await client.query<{ row: object }>(text, [attacker.id, hidden])
      const columns = Object.keys(rows[0]?.row ?? {}).map((column) => `"${column}"`)
      taken.push({
        table: model.table,
        columns: columns.join(', '),
        rows: JSON.stringify(rows.map(({ row }) => row)),
      })
    }
  })
  return () =>
    withoutTriggers(lab.stage, async (client) => {
      for (const { table, columns, rows } of taken) {
        const text = `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM jsonb_populate_recordset(NULL::${table}, $1::jsonb)`
        await client.query(text, [rows])
      }
    })
}

async function exchange(
  client: Client,
  model: EntityModel,
  properties: readonly string[],
  ids: readonly string[],
): Promise<void> {
  const columns = properties.map((property) => model.columns.get(property)!)
  const set = columns.map(({ sql, nullable }) =>
    nullable
      ? `${sql} = CASE WHEN mine.place % 3 = 0 THEN NULL ELSE other.${sql} END`
      : `${sql} = other.${sql}`,
  )
  const text = `WITH ordered AS (SELECT t.*, row_number() OVER (ORDER BY id) AS place, count(*) OVER () AS total
       FROM ${model.table} t WHERE tenant_id = $1 AND id = ANY ($2))
     UPDATE ${model.table} t SET ${set.join(', ')}
       FROM ordered mine JOIN ordered other ON other.place = mine.place % mine.total + 1
      WHERE t.tenant_id = $1 AND t.id = mine.id`
  await client.query(text, [attacker.id, ids])
}
