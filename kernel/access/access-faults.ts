import { rootTypes, type Declarations, type FieldDeclaration, type TypeDeclaration } from './access'
import type { Policies } from '../policy'
import { policyNames, typePolicies } from './row-rules'

const choose = 'add @requiresScopes, @authenticated, @policy or @public'

/**
 * Everything about access that is declared wrongly or not at all; a subgraph with faults does not start. `owned` are
 * the entities whose rows this subgraph has, the others it only adds fields to.
 */
export function accessFaults(
  declarations: Declarations,
  policies: Policies,
  owned: ReadonlySet<string>,
): string[] {
  const faults = [...declarations.faults]
  for (const type of declarations.types.values()) {
    if (owned.has(type.name) && !type.access) faults.push(`${type.name} declares no access: ${choose}`)
    faults.push(...typePolicyFaults(type.name, declarations, policies, owned))
    for (const field of type.fields.values()) faults.push(...fieldFaults(type, field, policies, owned))
  }
  return faults
}

function fieldFaults(
  type: TypeDeclaration,
  { field, access, nullable, external }: FieldDeclaration,
  policies: Policies,
  owned: ReadonlySet<string>,
): string[] {
  const place = `${type.name}.${field}`
  const faults: string[] = []
  const isRoot = rootTypes.has(type.name)
  const isOwned = owned.has(type.name)
  const contributed = type.keyFields.size > 0 && !isOwned && !type.keyFields.has(field) && !external
  if (!access && (isRoot || contributed)) faults.push(`${place} declares no access: ${choose}`)
  if (access?.requirements.length && !nullable && type.name !== 'Mutation')
    faults.push(`${place} may be denied, so it must be nullable: a denied non-null field blanks its parents`)
  for (const name of policyNames(access?.requirements ?? [])) {
    const policy = policies[name]
    if (!policy) faults.push(`${place} names policy "${name}", which this subgraph does not implement`)
    const foreign = isOwned ? [] : (policy?.columns ?? []).filter((column) => !type.keyFields.has(column))
    if (foreign.length > 0)
      faults.push(
        `${place}: policy "${name}" looks at ${foreign.join(', ')}, but of this type only its key can be trusted here`,
      )
  }
  return faults
}

function typePolicyFaults(
  typeName: string,
  declarations: Declarations,
  policies: Policies,
  owned: ReadonlySet<string>,
): string[] {
  const requirements = typePolicies(typeName, declarations)
  if (requirements.length === 0) return []
  if (!owned.has(typeName)) return [`${typeName}: row rules stand in the subgraph that has the rows`]
  const groups = requirements.flatMap(({ anyOf }) => anyOf)
  if (requirements.length > 1 || groups.some((group) => group.length !== 1))
    return [
      `${typeName}: policies on a type are alternatives; write what needs two rules at once as one policy`,
    ]
  return policyNames(requirements).flatMap((name) => {
    if (!policies[name]) return [`${typeName} names policy "${name}", which this subgraph does not implement`]
    return policies[name].where
      ? []
      : [`${typeName}: policy "${name}" filters lists, so it must say where(): use rowPolicy`]
  })
}
