import type { AppliedDirective } from './schema-model'

/**
 * Names who may read something, as clauses that must all hold. A clause holds when one of its alternatives does; an
 * alternative holds when the viewer has all its grants. No clause: everybody.
 */
export type Requirement = readonly Clause[]
type Clause = readonly (readonly string[])[]

const signedIn = 'signed in'

/**
 * Returns what the standard directives of a type and its field ask for together.
 * https://specs.apollo.dev/requiresScopes/v0.1, …/policy/v0.1, …/authenticated/v0.1: the outer list is OR, the inner
 * AND.
 */
export function requirementOf(...of: readonly { directives: readonly AppliedDirective[] }[]): Requirement {
  const clauses: Clause[] = []
  for (const { name, args } of of.flatMap(({ directives }) => directives)) {
    if (name === 'authenticated') clauses.push([[signedIn]])
    if (name === 'requiresScopes') clauses.push(alternatives(args['scopes'], ''))
    if (name === 'policy') clauses.push(alternatives(args['policies'], 'policy '))
  }
  return clauses
}

/** Tells whether somebody who meets the first may fail the second. */
export function deniesMore(first: Requirement, second: Requirement): boolean {
  return !second.every(
    (clause) =>
      first.some((stronger) => implies(stronger, clause)) ||
      product(first).every((grants) => meets(grants, clause)),
  )
}

/** `signed in and hr:salary:read or hr:admin`; `everybody` when nothing is asked. */
export function describeAccess(requirement: Requirement): string {
  const texts = requirement.map((clause) => {
    const alternatives = clause.map((grants) =>
      grants.filter((grant) => grant !== signedIn || grants.length === 1).join(' + '),
    )
    return alternatives.sort().join(' or ')
  })
  const distinct = [...new Set(texts)].sort()
  // Scopes and policies are held by somebody who is signed in: saying both would be noise.
  const told = distinct.length > 1 ? distinct.filter((text) => text !== signedIn) : distinct
  return told.join(' and ') || 'everybody'
}

function alternatives(value: unknown, prefix: string): Clause {
  // One name stands for a list of one, as everywhere in GraphQL.
  const lists = [value ?? []].flat() as unknown[]
  return lists.map((list) => [signedIn, ...[list].flat().map((grant) => `${prefix}${String(grant)}`)])
}

function implies(stronger: Clause, weaker: Clause): boolean {
  return stronger.every((grants) => meets(grants, weaker))
}

function meets(grants: readonly string[], clause: Clause): boolean {
  return clause.some((needed) => needed.every((grant) => grants.includes(grant)))
}

/** Every way to meet all clauses; bounded, because directives are written by hand and stay small. */
function product(requirement: Requirement): string[][] {
  let ways: string[][] = [[]]
  for (const clause of requirement) {
    ways = ways.flatMap((way) => clause.map((grants) => [...way, ...grants]))
    if (ways.length > 512) return [[]]
  }
  return ways
}
