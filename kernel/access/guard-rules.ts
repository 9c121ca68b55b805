import { buildSchema, type GraphQLFieldResolver } from 'graphql'
import { rule, shield } from 'graphql-shield'
import type { Requirement } from './access'
import type { SubgraphContext } from '../context'
import { forbidden } from '../errors'
import type { Policies } from '../policy'
import { decide } from './row-rules'

type Decision = true | Error
export type Resolver = GraphQLFieldResolver<unknown, SubgraphContext, Record<string, unknown>>
type Guard = (resolve: Resolver, ...called: Parameters<Resolver>) => Promise<unknown>

/** One requirement as a shield rule. */
export interface Rule {
  /** Tells whether it holds. What only the viewer decides is decided once per request. */
  decide(context: SubgraphContext, row: unknown): Decision
  /** Returns what shield makes of a decision that is not true. */
  refuse(decision: Error, resolve: Resolver, ...called: Parameters<Resolver>): Promise<unknown>
}

/** Holds what was decided about the viewer of a request. */
const decisions = new WeakMap<SubgraphContext, Map<Rule, Decision>>()

/**
 * A requirement as a rule. While it holds, asking costs no promise; anything else goes through shield, which is handed
 * the decision. shield caches by name, so the name must be another one in every subgraph.
 */
export function shieldRule(name: string, requirement: Requirement, policies: Policies): Rule {
  function decideAnew(context: SubgraphContext, row: unknown): Decision {
    try {
      return decide(requirement, policies, context, (row ?? {}) as Readonly<Record<string, unknown>>)
    } catch (error) {
      // shield would turn what is thrown into a plain denial, and nobody would learn of the fault
      return error instanceof Error ? error : new Error(String(error))
    }
  }
  let handed: Error | undefined
  const cache = requirement.kind === 'scopes' ? 'contextual' : 'no_cache'
  const guard = shieldGuard(
    rule(name, { cache })(
      (row: unknown, _args: unknown, context: SubgraphContext) => handed ?? decideAnew(context, row),
    ),
  )
  const made: Rule = {
    decide(context, row) {
      if (requirement.kind !== 'scopes') return decideAnew(context, row)
      let decided = decisions.get(context)
      if (!decided) decisions.set(context, (decided = new Map()))
      let decision = decided.get(made)
      if (!decision) decided.set(made, (decision = decideAnew(context, row)))
      return decision
    },
    refuse(decision, resolve, ...called) {
      handed = decision
      try {
        // shield asks its rule before it waits for anything, so no other call sees what is handed over.
        return guard(resolve, ...called)
      } finally {
        handed = undefined
      }
    },
  }
  return made
}

/** shield guards fields of schemas; which field it is makes no difference to its middleware. */
const anyField = buildSchema('type Query { field: Boolean }')

function shieldGuard(made: ReturnType<ReturnType<typeof rule>>): Guard {
  const generator = shield(
    { Query: { field: made } },
    { allowExternalErrors: true, fallbackError: forbidden() },
  )
  const generated = generator.generate(anyField) as { Query: { field: Guard } }
  return generated.Query.field
}

/** A resolver behind rules: it is called when all hold; the first that does not answers in its place. */
export function guarded(asked: readonly Rule[], resolve: Resolver): Resolver {
  return (parent, args, context, info) => {
    for (const one of asked) {
      const decision = one.decide(context, parent)
      if (decision !== true) return one.refuse(decision, resolve, parent, args, context, info)
    }
    return resolve(parent, args, context, info)
  }
}
