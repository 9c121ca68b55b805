import { getNamedType, isCompositeType, isObjectType, parse } from 'graphql'
import type { RequestContext } from '../../kernel/context'
import { leavesOf } from '../documents'
import type { Answer } from '../askers'
import type { Lab } from '../lab'
import { attacker, type AttackedTenant } from '../population'
import { valuesAt } from '../questions'
import { sameAsUnknown } from './reads'

/** Somebody as the gateway describes them to a subgraph: with every scope there is. */
export async function contextOf(lab: Lab, tenant: AttackedTenant): Promise<RequestContext> {
  const { userId } = await lab.as(tenant)
  const { rows } = await lab.client.query<{ name: string }>('SELECT name FROM identity.permissions')
  return {
    requestId: 'isolation',
    viewer: {
      tenantId: tenant.id,
      userId,
      sessionId: null,
      permissionVersion: 1,
      scopes: new Set(rows.map(({ name }) => name)),
    },
    clientIp: null,
    userAgent: null,
    clock: lab.server.services.clock,
    log: lab.server.services.log,
  }
}

/**
 * `_entities` of every subgraph, with every key of every type: a victim's row must answer as none, and whatever else a
 * representation claims must change nothing, for the victim's row as for one's own.
 */
export async function attackReferences(lab: Lab, victims: readonly AttackedTenant[]): Promise<void> {
  const context = await contextOf(lab, attacker)
  for (const { name, subgraph, type, fields } of lab.surface.keys) {
    const running = [...lab.server.subgraphs.values()].find((one) => one.name === subgraph)!
    const object = running.schema.getType(type)
    if (!isObjectType(object)) continue
    const composite = Object.values(object.getFields()).filter(
      (field) =>
        isCompositeType(getNamedType(field.type)) &&
        !field.args.some(
          ({ name: one }) => one !== 'first' && one !== 'after' && one !== 'filter' && one !== 'orderBy',
        ),
    )
    const inner = composite.map((field) => `${field.name} { ${leavesOf(field.type)} }`).join(' ')
    const document = parse(
      `query ($r: [_Any!]!) { _entities(representations: $r) { __typename ... on ${type} { ${leavesOf(object)} ${inner} } } }`,
    )
    const ask = async (representation: object, as = context): Promise<Answer> => {
      const result = await running.execute({
        document,
        variables: { r: [{ __typename: type, ...representation }] },
        context: { ...as },
      })
      const answer = JSON.parse(JSON.stringify({ status: 200, ...result })) as Answer
      if (as === context) lab.witness.see(attacker, name, answer, JSON.stringify(representation))
      return answer
    }
    for (const victim of victims) {
      const [row] = lab.rows.samples(victim, type)
      const key = (id: string) =>
        Object.fromEntries(fields.map((field) => [field, field === 'id' ? id : (row?.[field] ?? id)]))
      const id = lab.rows.id(victim, type)
      const theirs = await ask(key(id), await contextOf(lab, victim))
      if (valuesAt(theirs.data, ['_entities']).length > 0) lab.coverage.shown('entity key', name)
      lab.coverage.attacked('entity key', name)
      if (type !== 'Tenant' && lab.models.get(type)?.tenantOwned === false) continue
      await sameAsUnknown(lab, name, id, (one) => ask(key(one)))
      // What `@requires` could ask for, and what a rule might be tempted to believe.
      const claims = {
        ...lab.rows.samples(attacker, type)[0],
        tenantId: attacker.id,
        tenant: { __typename: 'Tenant', id: attacker.id },
      }
      await sameAsUnknown(lab, `${name}, with forged fields`, id, (one) => ask({ ...claims, ...key(one) }))
      const own = lab.rows.id(attacker, type)
      const [plain, forged] = [await ask({ id: own }), await ask({ ...row, tenantId: victim.id, id: own })]
      if (withoutTrace(plain) !== withoutTrace(forged))
        lab.found('forged representation', name, 'claims of a representation change the answer')
    }
  }
}

const withoutTrace = (answer: Answer): string =>
  JSON.stringify(answer, (key, value: unknown) => (key === 'traceId' ? undefined : value))
