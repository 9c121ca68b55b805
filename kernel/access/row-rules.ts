import type { SubgraphContext, Viewer } from '../context'
import { forbidden, passwordChangeRequired, unauthenticated } from '../errors'
import type { Policies, Policy } from '../policy'
import type { EntityModel } from '../schema/entity-model'
import { stepUpFault } from '../sign-in/step-up'
import type { Declarations, Requirement } from './access'

/** Tells whether the viewer meets a requirement; policies look at the row. True, or the error to answer with. */
export function decide(
  requirement: Requirement,
  policies: Policies,
  context: SubgraphContext,
  row: Readonly<Record<string, unknown>>,
): true | Error {
  const { viewer } = context
  if (!viewer) return unauthenticated()
  if (viewer.passwordChangeRequired && !requirement.beforePasswordChange) return passwordChangeRequired()
  if (viewer.apiKeyId && requirement.inPerson) return forbidden('A key may not do this: sign in as a person')
  const holds =
    requirement.kind === 'scopes'
      ? (scope: string) => viewer.scopes.has(scope)
      : (name: string) => allows(name, policies[name]!, viewer, row)
  if (!requirement.anyOf.some((group) => group.every(holds))) return forbidden()
  return (requirement.stepUp && stepUpFault(viewer, context.services.clock)) || true
}

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
