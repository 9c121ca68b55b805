import { defaultFieldResolver, isAbstractType, isObjectType } from 'graphql'
import type { GraphQLObjectType, GraphQLSchema } from 'graphql'
import { isWrapper, type Declarations, type Requirement } from './access'
import type { SubgraphContext } from '../context'
import type { ReferenceExtensions, ReferenceResolver } from '../execution/entities'
import { guarded, shieldRule, type Resolver, type Rule } from './guard-rules'
import { allOf, isPromise } from '../execution/sync-promise'
import type { SubgraphName } from '../schema/subgraph-names'
import type { Policies } from '../policy'
import { decide, typePolicies } from './row-rules'

type Row = Readonly<Record<string, unknown>>

/** Describes what the guards of one subgraph are made from. */
interface Rules {
  subgraph: SubgraphName
  schema: GraphQLSchema
  declarations: Declarations
  policies: Policies
  made: Map<string, Rule>
}

/**
 * The schema with its guards: on fields that declare access or return a type that does, and on the reference resolvers
 * of such types (`_entities` passes no rule of `Query`).
 */
export function guardSchema(
  schema: GraphQLSchema,
  subgraph: SubgraphName,
  declarations: Declarations,
  policies: Policies,
): GraphQLSchema {
  const rules: Rules = { subgraph, schema, declarations, policies, made: new Map() }
  guardRows(rules)
  guardFields(rules)
  for (const { name } of declarations.types.values()) {
    const type = schema.getType(name)
    if (isObjectType(type)) guardReferences(rules, type)
  }
  return schema
}

/** One rule per distinct requirement. */
function ruleOf({ subgraph, policies, made }: Rules, requirement: Requirement): Rule {
  const open = requirement.beforePasswordChange ? ' before password change' : ''
  const factor = requirement.beforeSecondFactor ? ' before second factor' : ''
  const write = requirement.isWrite ? ' to write' : ''
  const person =
    (requirement.inPerson ? ' in person' : '') +
    (requirement.stepUp ? ' after step-up' : '') +
    (requirement.isHidden ? ' hidden' : '')
  const name = `${subgraph} ${requirement.kind} ${JSON.stringify(requirement.anyOf)}${open}${factor}${write}${person}`
  const known = made.get(name)
  if (known) return known
  const rule = shieldRule(name, requirement, policies)
  made.set(name, rule)
  return rule
}

/** The rules of requirements in their order, each once. */
function rulesOf(rules: Rules, requirements: readonly Requirement[]): Rule[] {
  return [...new Set(requirements.map((requirement) => ruleOf(rules, requirement)))]
}

/**
 * Returns what the viewer must meet before objects of a type are handed out; a row rule asks here for a viewer only.
 */
function entryRequirements(rules: Rules, typeName: string, seen: readonly string[] = []): Requirement[] {
  if (seen.includes(typeName)) return []
  const deeper = [...seen, typeName]
  const type = rules.schema.getType(typeName)
  // Which of its types an abstract field returns is known too late, so the viewer must be allowed all of them.
  if (isAbstractType(type))
    return rules.schema.getPossibleTypes(type).flatMap(({ name }) => entryRequirements(rules, name, deeper))
  const declared = rules.declarations.types.get(typeName)
  const own = (declared?.access?.requirements ?? []).map((requirement): Requirement =>
    requirement.kind === 'policies' ? { kind: 'scopes', anyOf: [[]] } : requirement,
  )
  // A summary tells of rows, so it asks for what they ask for, whatever its field says.
  const summarized = /^(\w+)Summary$/.exec(typeName)?.[1]
  if (summarized && rules.declarations.types.has(summarized))
    return [...own, ...entryRequirements(rules, summarized, deeper)]
  if (!declared || !isWrapper(typeName)) return own
  const inner = [...declared.fields.values()].flatMap(({ returns }) =>
    entryRequirements(rules, returns, deeper),
  )
  return [...own, ...inner]
}

/** Guards every field that declares access itself or returns a type that asks something of its viewers. */
function guardFields(rules: Rules): void {
  for (const type of rules.declarations.types.values()) {
    for (const declared of type.fields.values()) {
      const { field, returns, access, inaccessible: isHidden } = declared
      const { beforePasswordChange, beforeSecondFactor, inPerson, stepUp } = declared
      const declaredHere = { beforePasswordChange, beforeSecondFactor, inPerson, stepUp, isHidden }
      const entering = isWrapper(type.name) ? [] : entryRequirements(rules, returns)
      const isWrite = type.name === 'Mutation'
      const own = (access?.requirements ?? []).map((one) => (isWrite ? { ...one, isWrite } : one))
      const requirements = [...own, ...entering]
      const asked = rulesOf(
        rules,
        requirements.map((one) => ({ ...one, ...declaredHere })),
      )
      const target = fieldOf(rules, type.name, field)
      // Wrapping the others would cost every leaf of every row.
      if (target && asked.length > 0) target.resolve = guarded(asked, target.resolve ?? defaultFieldResolver)
    }
  }
}

function fieldOf({ schema }: Rules, typeName: string, field: string) {
  const type = schema.getType(typeName)
  return isObjectType(type) ? type.getFields()[field] : undefined
}

function guardReferences(rules: Rules, type: GraphQLObjectType): void {
  const asked = rulesOf(rules, entryRequirements(rules, type.name))
  const apollo = (type.extensions as ReferenceExtensions).apollo
  const resolve = apollo?.subgraph?.resolveReference
  if (asked.length === 0 || !resolve) return
  const guard = guarded(asked, (reference, _args, context, info) =>
    resolve(reference as object, context, info),
  )
  const admitted = admission(rules, type.name)
  const resolveReference: ReferenceResolver = (reference, context: SubgraphContext, info) => {
    const admit = (row: unknown) => thrown(admitted(row, context))
    try {
      const row: unknown = guard(reference, {}, context, info)
      return isPromise(row) ? row.then(admit) : admit(row)
    } catch (error) {
      // Thrown here it would be the error of all references of the call.
      return Promise.reject(error as Error)
    }
  }
  type.extensions = {
    ...type.extensions,
    apollo: { ...apollo, subgraph: { ...apollo.subgraph, resolveReference } },
  }
}

/** An error that is returned would be marked as an object of its type by @apollo/subgraph, and then taken for one. */
function thrown(result: unknown): unknown {
  if (result instanceof Error) throw result
  return result
}

/**
 * The second wall of row rules on types. SQL already leaves such rows out (`bindRowRule`); a row that came another way,
 * through a statement of a resolver's own, is refused where it enters the answer.
 */
function guardRows(rules: Rules): void {
  for (const type of rules.declarations.types.values()) {
    for (const { field, returns, beforeSecondFactor } of type.fields.values()) {
      const target = fieldOf(rules, type.name, field)
      if (!target || typePolicies(returns, rules.declarations).length === 0) continue
      const resolve: Resolver = target.resolve ?? defaultFieldResolver
      const admitted = admission(rules, returns, beforeSecondFactor)
      target.resolve = (parent, args, context: SubgraphContext, info) => {
        const admit = (rows: unknown): unknown => {
          if (!Array.isArray(rows)) return admitted(rows, context)
          return rows.some(isPromise) ? allOf(rows).then(admit) : rows.map((row) => admitted(row, context))
        }
        const result: unknown = resolve(parent, args as Record<string, unknown>, context, info)
        return isPromise(result) ? result.then(admit) : admit(result)
      }
    }
  }
}

/** A row of the type as it is, or the error with which its row rules refuse it. */
function admission(
  rules: Rules,
  typeName: string,
  beforeSecondFactor = false,
): (row: unknown, context: SubgraphContext) => unknown {
  const requirements = typePolicies(typeName, rules.declarations).map((one) => ({
    ...one,
    beforeSecondFactor,
  }))
  return (row, context) => {
    if (typeof row !== 'object' || row === null || row instanceof Error) return row
    for (const requirement of requirements) {
      const decision = decide(requirement, rules.policies, context, row as Row)
      if (decision !== true) return decision
    }
    return row
  }
}
