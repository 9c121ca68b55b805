import type { SubgraphContext } from '../context'
import type { EntityModel } from '../schema/entity-model'
import { userError } from '../errors'
import type { Policy } from '../policy'
import { inputName } from './constraints'

type Row = Readonly<Record<string, unknown>>

/** Stands for a viewer who is nobody: what a rule then allows, it allows for the scopes alone. */
const nobody = '00000000-0000-0000-0000-000000000000'

/**
 * Refuses a change of what a row rule looks at, unless the rule says who may make it (`writers`). Whoever makes it holds
 * those scopes and, by scopes alone, what the rule allows for the row; and it changes nothing of what the rule allows
 * themselves as a person, so nobody gives rows to themselves, or gets rid of their own for a while.
 *
 * Throws the user errors PERMISSION_NOT_HELD and OWN_RECORD on the input field, and a plain error where the rule names
 * no writers: that mutation cannot be. To be called after the statement, in its transaction.
 * @param before the row as it was, as far as it was written; null for a new row
 * @param after the row as it is, whole
 * @param written the properties that the mutation gave
 */
export function requireRuleWriter(
  context: SubgraphContext,
  model: EntityModel,
  before: Row | null,
  after: Row,
  written: readonly string[],
): void {
  if (model.ruled.size === 0) return
  for (const property of written) {
    const rules = model.ruled.get(property)
    if (!rules || (after[property] ?? null) === (before?.[property] ?? null)) continue
    for (const [name, policy] of rules) requireWriter(context, model, property, name, policy, before, after)
  }
}

function requireWriter(
  { viewer }: SubgraphContext,
  model: EntityModel,
  property: string,
  name: string,
  policy: Policy,
  before: Row | null,
  after: Row,
): void {
  if (policy.setOnce && before === null) return
  if (!policy.writers)
    throw new Error(
      `${model.name}.${property} decides policy ${name}: name the scopes that may write it as the policy's writers`,
    )
  const field = inputName(model, property)
  const lacking = policy.writers.filter((scope) => !viewer?.scopes.has(scope))
  if (!viewer || lacking.length > 0)
    throw userError('PERMISSION_NOT_HELD', `You lack ${lacking.join(', ')}`, [field])
  if (!policy.allow({ ...viewer, userId: nobody }, after)) {
    const message = `${field} gives more than you hold yourself: ask somebody who holds it`
    throw userError('PERMISSION_NOT_HELD', message, [field])
  }
  const inPerson = { ...viewer, scopes: new Set<string>() }
  const allowedBefore = before !== null && policy.allow(inPerson, { ...after, ...before })
  if (policy.allow(inPerson, after) !== allowedBefore)
    throw userError('OWN_RECORD', 'Somebody else must do this: it is about yourself', [field])
}
