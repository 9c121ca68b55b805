import { composeServices, validateSatisfiability } from '@apollo/composition'
import { Kind, parse, print, visit, type ASTNode, type DirectiveNode, type DocumentNode } from 'graphql'

/** One subgraph as composition sees it. */
export interface SubgraphSchema {
  name: string
  /** The subgraph's whole schema, federation directives included. */
  typeDefs: DocumentNode
  /**
   * Says where a router finds the subgraph when nothing overrides it. Default `http://<name>:4000/graphql`: a host
   * named like the subgraph, so that the artefact does not change from one installation to the next.
   */
  url?: string
}

/** Why subgraphs do not compose. */
export interface CompositionFault {
  code: string
  message: string
  /** Holds what it is about, with the places in the subgraphs' texts. Some faults name none. */
  nodes: readonly ASTNode[]
}

export interface Composition {
  /** Null when there are faults. */
  supergraph: string | null
  faults: CompositionFault[]
}

/** Hints that a field is on its way to another subgraph: each step of a move without downtime gives one. */
const steps = new Set(['OVERRIDDEN_FIELD_CAN_BE_REMOVED', 'OVERRIDE_MIGRATION_IN_PROGRESS'])

/** Merged subgraphs, before anything is known about ways to their fields. */
export interface MergedSubgraphs {
  /** The supergraph's text; null when the subgraphs do not merge. */
  text: string | null
  /** Returns what it comes to when there is a way to every field. */
  proven(): Composition
  /** Returns what it comes to after a search for a way to every field, which takes as long as merging. */
  searched(): Composition
}

/**
 * Merges the subgraphs, security directives kept, and says everything that is wrong. The same text whatever the
 * order of the subgraphs.
 *
 * Hints are faults here, but for those of a move with @override: shared input types merge by intersection and
 * half-shared fields disappear with no more than a hint, which is how a filter stops filtering without an error.
 */
export function mergeSubgraphs(subgraphs: readonly SubgraphSchema[]): MergedSubgraphs {
  const { schema, supergraphSdl, errors, hints } = composeServices(
    subgraphs.map(({ name, typeDefs, url = `http://${name}:4000/graphql` }) => ({ name, typeDefs, url })),
    { runSatisfiability: false },
  )
  const text = supergraphSdl ? `${supergraphSdl.trimEnd()}\n` : null
  const conclude = (searched: ReturnType<typeof validateSatisfiability>): Composition => {
    const faults: CompositionFault[] = [
      ...[...(errors ?? []), ...(searched.errors ?? [])].map(({ message, extensions, nodes }) => ({
        code: String(extensions.code ?? 'ERROR'),
        message,
        nodes: nodes ?? [],
      })),
      ...[...(hints ?? []), ...(searched.hints ?? [])]
        .filter(({ definition }) => !steps.has(definition.code))
        .map(({ definition, message, nodes }) => ({
          code: definition.code,
          message,
          nodes: nodes ?? [],
        })),
    ]
    return { supergraph: faults.length === 0 ? text : null, faults }
  }
  return {
    text,
    proven: () => conclude({}),
    searched: () => conclude(schema ? validateSatisfiability({ supergraphSchema: schema }) : {}),
  }
}

/**
 * Composes the subgraphs, as {@link mergeSubgraphs} says.
 * @param satisfiable a proof that every field can be reached from every place; where it fails, composition searches
 */
export function composition(
  subgraphs: readonly SubgraphSchema[],
  satisfiable: (supergraph: string) => boolean = () => false,
): Composition {
  const { text, proven, searched } = mergeSubgraphs(subgraphs)
  return text !== null && satisfiable(text) ? proven() : searched()
}

/**
 * The published supergraph.
 *
 * @throws Error that lists every composition error or hint, one per line
 */
export function compose(subgraphs: readonly SubgraphSchema[]): string {
  const { supergraph, faults } = composition(subgraphs)
  if (supergraph !== null) return supergraph
  throw new Error(
    `The subgraphs do not compose:\n${faults.map(({ code, message }) => `  ${code}: ${message}`).join('\n')}`,
  )
}

/** The security features whose rules our subgraphs enforce themselves (kernel/access/authorize.ts). */
const enforcedBySubgraphs = ['authenticated', 'requiresScopes', 'policy']

/** The name of the feature a supergraph `@link` declares for security, or null: `https://specs.apollo.dev/<name>/v0.1`. */
function securityFeature(directive: DirectiveNode): string | null {
  if (directive.name.value !== 'link') return null
  const value = (name: string) => directive.arguments?.find((argument) => argument.name.value === name)?.value
  const purpose = value('for')
  const url = value('url')
  if (purpose?.kind !== Kind.ENUM || purpose.value !== 'SECURITY' || url?.kind !== Kind.STRING) return null
  return /^https:\/\/specs\.apollo\.dev\/(\w+)\/v0\.\d+$/.exec(url.value)?.[1] ?? url.value
}

/** The security features a supergraph asks its router to understand. */
export function securityFeatures(supergraph: string): string[] {
  const features: string[] = []
  visit(parse(supergraph), {
    Directive: (node) => {
      const feature = securityFeature(node)
      if (feature) features.push(feature)
    },
  })
  return features
}

/** The security features a gateway implements itself: ApolloGateway hides what is `@inaccessible`. */
const enforcedByGateway = ['inaccessible']

/**
 * Returns what of a supergraph's security a gateway over somebody else's subgraphs does not take care of.
 * @returns the rules that subgraphs may enforce themselves, and features that nobody here knows
 */
export function unenforcedFeatures(supergraph: string): { bySubgraphs: string[]; unknown: string[] } {
  const others = securityFeatures(supergraph).filter((name) => !enforcedByGateway.includes(name))
  return {
    bySubgraphs: others.filter((name) => enforcedBySubgraphs.includes(name)),
    unknown: others.filter((name) => !enforcedBySubgraphs.includes(name)),
  }
}

/** The names of the subgraphs a supergraph is composed of. */
export function subgraphNamesOf(supergraph: string): string[] {
  const found: string[] = []
  visit(parse(supergraph, { noLocation: true }), {
    Directive: ({ name, arguments: args }) => {
      if (name.value !== 'join__graph') return
      const value = args?.find((argument) => argument.name.value === 'name')?.value
      if (value?.kind === Kind.STRING) found.push(value.value)
    },
  })
  return found
}

/**
 * The copy of the supergraph that ApolloGateway loads. It refuses features marked `for: SECURITY` that it does not
 * implement, so the mark is dropped for `@authenticated`, `@requiresScopes` and `@policy`, and for these alone.
 *
 * That is safe only because each subgraph enforces them itself, on every entry, `_entities` included, and takes
 * its viewer from the gateway's verified session or signature: the gateway is not the guard. A supergraph whose
 * subgraphs leave the guarding to the router must not be loaded through this function.
 */
export function loadable(supergraph: string): string {
  const document = visit(parse(supergraph), {
    Directive: (node) => {
      const feature = securityFeature(node)
      if (!feature || !enforcedBySubgraphs.includes(feature)) return undefined
      return { ...node, arguments: node.arguments?.filter((argument) => argument.name.value !== 'for') }
    },
  })
  return print(document)
}
