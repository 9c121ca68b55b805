import type { SubgraphDataSource } from '../context'
import type { Checks } from '../http/readiness'
import type { Metrics } from '../http/metrics'

/** A subgraph as the supergraph names it; the URL is the supergraph's own. */
export interface NamedSubgraph {
  name: string
  url?: string
}

/** The subgraphs of the supergraph of the moment, each with its check for `/readyz`. */
export class SubgraphSources {
  readonly checks: Record<string, () => Promise<unknown>>
  readonly #sources = new Map<string, SubgraphDataSource>()

  constructor(
    private readonly dataSource: (subgraph: NamedSubgraph) => SubgraphDataSource,
    private readonly metrics: Metrics,
    checks: Checks = {},
  ) {
    this.checks = { ...checks }
  }

  get(name: string): SubgraphDataSource | undefined {
    return this.#sources.get(name)
  }

  /** The source of a subgraph from now on; a later version of the supergraph may have it elsewhere. */
  use({ name, url }: NamedSubgraph): SubgraphDataSource {
    const source = measured(name, this.dataSource({ name, url }), this.metrics)
    void this.#sources.get(name)?.close()
    this.#sources.set(name, source)
    this.checks[name] = () => source.ping()
    return source
  }

  /** Asks no others whether they are ready. */
  keepOnly(names: readonly string[]): void {
    for (const name of this.#sources.keys()) if (!names.includes(name)) delete this.checks[name]
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sources.values()].map((source) => source.close()))
  }
}

/** A source whose calls are counted and timed. */
function measured(name: string, source: SubgraphDataSource, metrics: Metrics): SubgraphDataSource {
  return {
    ping: () => source.ping(),
    close: () => source.close(),
    async process(call) {
      const stop = metrics.subgraphs.startTimer({ subgraph: name })
      try {
        const answer = await source.process(call)
        stop({ outcome: answer.errors?.length || !answer.data ? 'errors' : 'ok' })
        return answer
      } catch (error) {
        stop({ outcome: 'failed' })
        throw error
      }
    },
  }
}
