import { encodeCursor } from '../../kernel/reading/cursor'
import { uuidv7 } from '../../kernel/id'
import { comparable } from '../askers'
import type { Lab } from '../lab'
import { attacker, type AttackedTenant } from '../population'
import { targetOf } from '../targets'
import { listDocument, orderOf } from '../questions'

const forged: readonly string[] = [
  'x',
  '',
  Buffer.from('[1]').toString('base64url'),
  Buffer.from(JSON.stringify([1, 'createdAt DESC', "' OR true --", 'no id'])).toString('base64url'),
  Buffer.from(JSON.stringify([1, 'tenantId ASC', null, uuidv7()])).toString('base64url'),
  Buffer.from(JSON.stringify([2, 'createdAt DESC', null, uuidv7()])).toString('base64url'),
]

/**
 * Cursors minted for the victim and cursors made by hand. A victim's cursor must be a mere position: it answers as one
 * made of the same sort key and an id that nobody has.
 */
export async function attackCursors(lab: Lab, victim: AttackedTenant): Promise<void> {
  const asker = await lab.as(attacker)
  const theirs = await lab.as(victim)
  for (const connection of lab.surface.connections) {
    const { name, node, orders } = connection
    const query = listDocument(lab, connection)
    // Rows that are everybody's stand on both sides of the comparison.
    const isTenants = node === 'Tenant' || lab.models.get(node)?.tenantOwned === true
    const { required } = await targetOf(lab, victim, connection)
    for (const order of orders.length > 0 ? orders : ['']) {
      const cursor = firstCursor(
        await lab.ask(theirs, name, query, { ...required, first: 1, ...orderOf(order) }),
      )
      if (!cursor) continue
      const ask = async (after: string) =>
        comparable(
          await lab.ask(asker, `${name} after a cursor of ${victim.slug}`, query, {
            ...required,
            first: 3,
            after,
            ...orderOf(order),
          }),
          after,
        )
      lab.coverage.attacked('cursor', name)
      const [found, expected] = [await ask(cursor), await ask(withOtherId(cursor))]
      if (isTenants && found !== expected)
        lab.found(
          'cursor',
          `${name} ${order}`,
          `answers ${found} where the same place without their row gives ${expected}`,
        )
    }
    for (const after of forged)
      await lab.ask(asker, `${name} after a forged cursor`, query, { ...required, first: 3, after })
  }
}

function firstCursor(answer: unknown): string | null {
  return /"cursor":"([^"]+)"/.exec(JSON.stringify(answer))?.[1] ?? null
}

/** The same place in the same order, next to the row of the cursor. */
function withOtherId(cursor: string): string {
  const [, order, keys, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as [
    number,
    string,
    (string | null)[],
    string,
  ]
  return encodeCursor(order, { keys, id: `${id.slice(0, 20)}${uuidv7().slice(20)}` })
}
