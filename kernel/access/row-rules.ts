import type { SubgraphContext, Viewer } from '../context'
import { forbidden, passwordChangeRequired, secondFactorRequired, unauthenticated } from '../errors'
import type { Policies, Policy } from '../policy'
import type { EntityModel } from '../schema/entity-model'
import { stepUpFault } from '../sign-in/step-up'
import { platformScope, type Declarations, type Requirement } from './access'

/** Tells whether the viewer meets a requirement; policies look at the row. True, or the error to answer with. */
export function decide(
  requirement: Requirement,
  policies: Policies,
  context: SubgraphContext,
  row: Readonly<Record<string, unknown>>,
): true | Error {
  const { viewer, operator } = context
  if (!viewer && !operator) return unauthenticated()
  if (viewer?.passwordChangeRequired && !requirement.beforePasswordChange) return passwordChangeRequired()
  if (viewer?.secondFactorRequired && !requirement.beforeSecondFactor) return secondFactorRequired()
  if (viewer?.apiKeyId && requirement.inPerson) return forbidden('A key may not do this: sign in as a person')
  // An operator has no session in the tenant, so is nobody's person there and proves nothing to it.
  if (operator && (requirement.inPerson || requirement.stepUp)) return forbidden()
  // An operator in a tenant reads there; what is written is what a scope of the platform allows.
  const asked = operator && requirement.isWrite ? null : viewer
  const holds =
    requirement.kind === 'policies'
      ? (name: string) => asked !== null && allows(name, policies[name]!, asked, row)
      : (scope: string) => (isOfPlatform(scope) ? operator : asked)?.scopes.has(scope) === true
  let firsts: number[] | undefined
  for (const group of requirement.anyOf) {
    const first = group.findIndex((name) => !holds(name))
    const isMet = group.length === 0 ? asked !== null : first < 0
    if (isMet) return (requirement.stepUp && viewer && stepUpFault(viewer, context.services.clock)) || true
    ;(firsts ??= []).push(first)
  }
  return operator || !viewer ? forbidden() : refusal(requirement, viewer, firsts ?? [], holds)
}

/**
 * Tells a person what is missing; the bearer of a key, who may have found it, learns nothing.
 * @param firsts place of the first that is missing of each group: it and those before were asked about already
 */
function refusal(
  { kind, anyOf, isHidden }: Requirement,
  { apiKeyId }: Viewer,
  firsts: readonly number[],
  holds: (name: string) => boolean,
): Error {
  // What operators need is no matter of a tenant's people.
  if (apiKeyId || isHidden || anyOf.flat().some(isOfPlatform)) return forbidden()
  const missing = anyOf.map((group, at) =>
    group.filter((name, place) => place === firsts[at] || (place > firsts[at]! && !holds(name))),
  )
  return forbidden(undefined, { [kind]: missing })
}

const isOfPlatform = (scope: string): boolean => scope.startsWith(platformScope)

function allows(
  name: string,
  policy: Policy,
  viewer: Viewer,
  row: Readonly<Record<string, unknown>>,
): boolean {
  const missing = policy.columns.find((column) => !(column in row))
  if (missing) throw new Error(`policy ${name} needs ${missing}, which the row it is asked about lacks`)
  return policy.allow(viewer, row)
}

/** The row rules on a type itself. */
export function typePolicies(typeName: string, declarations: Declarations): Requirement[] {
  const requirements = declarations.types.get(typeName)?.access?.requirements ?? []
  return requirements.filter(({ kind }) => kind === 'policies')
}

/** The names of all policies in some requirements. */
export function policyNames(requirements: readonly Requirement[]): string[] {
  return requirements.filter(({ kind }) => kind === 'policies').flatMap(({ anyOf }) => anyOf.flat())
}

/** Gives a model the row rule of its type, if it has one: what its reads fetch and which rows they find. */
export function bindRowRule(model: EntityModel, declarations: Declarations, policies: Policies): void {
  const named = policyNames(typePolicies(model.name, declarations)).map((name) => policies[name]!)
  if (named.length === 0) return
  for (const column of named.flatMap(({ columns }) => columns)) model.always.add(column)
  model.rowFilter = ({ viewer }) => {
    if (!viewer) return []
    const alternatives = named.map((policy) => policy.where!(viewer))
    return alternatives.includes(null)
      ? null
      : alternatives.flatMap((some) => some!.map((one) => ({ ...one })))
  }
}

/** Tells a model who may read its rows, for those who find them without a guard on their way. */
export function bindAdmission(model: EntityModel, declarations: Declarations, policies: Policies): void {
  const requirements = declarations.types.get(model.name)?.access?.requirements ?? []
  model.admits = (context, row) =>
    requirements.every((requirement) => decide(requirement, policies, context, row) === true)
}

/** Tells a model which of its columns its row rules look at: writing them is refused unless the rule names writers. */
export function bindRuleColumns(model: EntityModel, declarations: Declarations, policies: Policies): void {
  const type = declarations.types.get(model.name)
  const fields = [...(type?.fields.values() ?? [])].flatMap(({ access }) => access?.requirements ?? [])
  for (const name of new Set(policyNames([...typePolicies(model.name, declarations), ...fields]))) {
    const policy = policies[name]!
    for (const column of policy.columns)
      model.ruled.set(column, (model.ruled.get(column) ?? new Map<string, Policy>()).set(name, policy))
  }
}

/** Lets each field whose rule looks at the row fetch what the rule looks at, whenever the field is selected. */
export function bindFieldRules(model: EntityModel, declarations: Declarations, policies: Policies): void {
  for (const { field, access } of declarations.types.get(model.name)?.fields.values() ?? []) {
    const columns = policyNames(access?.requirements ?? []).flatMap((name) => policies[name]!.columns)
    if (columns.length > 0)
      model.fields.set(field, [...new Set([...(model.fields.get(field) ?? []), ...columns])])
  }
}
