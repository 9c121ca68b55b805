import type { SupergraphManager } from '@apollo/gateway'
import { Kind, parse, type ConstDirectiveNode } from 'graphql'
import type { Logger } from '../kernel/process/log'
import { loadable } from '../registry/composition/compose'
import { withRequiredFields } from './execution/required-fields'

/** Describes where a gateway finds the supergraph it serves, when that may change while it runs. */
export interface SupergraphSource {
  /** Holds what it calls itself in the log: `variant main of schema/registry`. */
  label: string
  /** The version to serve now. The id changes when the version does. Throws when it cannot tell. */
  current(): Promise<{ id: string; sdl: string }>
  /** Milliseconds between two looks. Default 10,000. */
  intervalMs?: number
}

/**
 * The copy of a supergraph that the gateway loads: see {@link loadable} for what it leaves to the subgraphs, and
 * {@link withRequiredFields} for what the planner is told besides.
 *
 * @throws Error that names the fields with `@fromContext`
 */
export function plannable(supergraph: string): string {
  refuseContexts(supergraph)
  return withRequiredFields(loadable(supergraph))
}

/**
 * Serves what the source says and follows it. A version that cannot be served is refused and said so in the log, once;
 * so is a source that does not answer. The last good version stays.
 *
 * @param prepare what takes time and can be done before a version is served; rejects when it cannot be
 */
export function supergraphUpdates(
  source: SupergraphSource,
  log: Logger,
  prepare: (supergraph: string) => Promise<void> = async () => undefined,
): SupergraphManager {
  return {
    async initialize({ update }) {
      const first = await source.current()
      let served = first.id
      let refused: string | null = null
      let looking = false
      let closed = false
      const look = async () => {
        if (looking) return
        looking = true
        try {
          const next = await source.current()
          if (next.id === served || next.id === refused) return
          // Remembered before it is tried: what fails now would fail at every look.
          refused = next.id
          const sdl = plannable(next.sdl)
          await prepare(sdl)
          if (closed) return
          update(sdl)
          served = next.id
          refused = null
          log.info({ source: source.label, version: served }, 'supergraph loaded')
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error)
          log.error(
            { source: source.label, served, refused, reason },
            'supergraph not loaded, the last one stays',
          )
        } finally {
          looking = false
        }
      }
      const timer = setInterval(() => void look(), source.intervalMs ?? 10_000).unref()
      const cleanup = async () => {
        closed = true
        clearInterval(timer)
      }
      return { supergraphSdl: plannable(first.sdl), cleanup }
    },
  }
}

/**
 * Refuses a supergraph in which arguments are filled from a context (`@context`, `@fromContext`): without them a field
 * would be answered, and wrongly.
 */
function refuseContexts(supergraph: string): void {
  const fields: string[] = []
  for (const type of parse(supergraph, { noLocation: true }).definitions) {
    if (type.kind !== Kind.OBJECT_TYPE_DEFINITION && type.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue
    for (const field of type.fields ?? [])
      if (field.directives?.some(fillsArguments)) fields.push(`${type.name.value}.${field.name.value}`)
  }
  if (fields.length === 0) return
  throw new Error(
    `The supergraph fills arguments from a context (@fromContext), which this gateway does not do: ${fields.join(', ')}. ` +
      'Have the subgraph ask for it with @requires, or serve the supergraph with a router that knows contexts.',
  )
}

function fillsArguments({ name, arguments: given }: ConstDirectiveNode): boolean {
  return name.value === 'join__field' && given?.some((one) => one.name.value === 'contextArguments') === true
}
