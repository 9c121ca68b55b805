import { randomUUID } from 'node:crypto'
import { Client, DatabaseError } from 'pg'
import { getNamedType, isObjectType } from 'graphql'
import { inputValue } from '../documents'
import type { Lab } from '../lab'
import { attacker, type AttackedTenant } from '../population'
import { platformSql } from '../platform'

/** Names what the attack is called in findings and coverage. */
const attack = 'operator door'

/**
 * Comes to the operators' door as somebody of a tenant: every field of theirs by the graph, tokens that are none of
 * operators, and every function of the platform past the product, as the role that may call it.
 */
export async function attackOperators(lab: Lab, victims: readonly AttackedTenant[]): Promise<void> {
  for (const victim of victims) {
    await askFields(lab, victim)
    await askDatabase(lab, victim)
  }
  await forgeTokens(lab)
}

async function askFields(lab: Lab, victim: AttackedTenant): Promise<void> {
  const asker = await lab.as(attacker)
  for (const { operation, field } of lab.platformFields) {
    lab.coverage.attacked(attack, field.name)
    const input = field.args.find(({ name }) => name === 'input')
    const variables = input
      ? { input: inputValue(input.type, { ids: () => victim.id, optionalIds: true }) }
      : { id: victim.id }
    const takesId = field.args.some(({ name }) => name === 'id')
    const given = input
      ? [`($input: ${String(input.type)})`, '(input: $input)']
      : takesId
        ? ['($id: ID!)', '(id: $id)']
        : ['', '']
    const type = getNamedType(field.type)
    const isPayload = isObjectType(type) && 'userErrors' in type.getFields()
    const selection = isPayload ? '{ userErrors { message } }' : '{ __typename }'
    const query = `${operation} Q${given[0]!} { asked: ${field.name}${given[1]!} ${selection} }`
    const answer = await lab.post(asker, `${attack} ${field.name}`, { query, variables })
    const codes = (answer.errors ?? []).map(({ extensions }) => extensions?.['code'])
    if ((answer.data?.['asked'] ?? null) !== null || codes.join() !== 'FORBIDDEN')
      lab.found(attack, field.name, `answers ${JSON.stringify(answer)}`)
  }
}

async function askDatabase(lab: Lab, victim: AttackedTenant): Promise<void> {
  const { userId } = await lab.as(attacker)
  for (const [name, { role, text }] of Object.entries(platformSql)) {
    lab.coverage.attacked(attack, name)
    const client = new Client({ connectionString: lab.stage.urlFor(role) })
    await client.connect()
    try {
      for (const actor of [userId, randomUUID(), ''])
        if (await reaches(client, actor, text, victim.id))
          lab.found(attack, name, `lets ${actor || 'nobody'} in`)
    } finally {
      await client.end()
    }
  }
}

/** Tells whether a statement bound to the attacker did something, or came further than the refusal; it is undone. */
async function reaches(client: Client, actor: string, text: string, value: string): Promise<boolean> {
  await client.query('BEGIN')
  try {
    await client.query("SELECT set_config('app.tenant_id', $1, true), set_config('app.actor_id', $2, true)", [
      attacker.id,
      actor,
    ])
    return ((await client.query(text, [value])).rowCount ?? 0) > 0
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error
    return error.code !== '42501'
  } finally {
    await client.query('ROLLBACK')
  }
}

/** A tenant's token is none of an operator, whatever stands before it. */
async function forgeTokens(lab: Lab): Promise<void> {
  lab.coverage.attacked(attack, 'forged tokens')
  const asker = await lab.as(attacker)
  const [head = '', body = '', signature = ''] = asker.token.split('.')
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>
  const platform = {
    iss: claims['iss'],
    aud: 'platform',
    sub: claims['sub'],
    sid: claims['sid'],
    iat: claims['iat'],
    exp: claims['exp'],
  }
  const altered = Buffer.from(JSON.stringify(platform)).toString('base64url')
  for (const token of [`op_${asker.token}`, `op_${head}.${altered}.${signature}`, `op_${head}.${altered}.`]) {
    const { status } = await lab.post({ ...asker, token }, attack, { query: '{ __typename }' })
    if (status !== 401) lab.found(attack, 'forged tokens', `answers ${status}`)
  }
}
