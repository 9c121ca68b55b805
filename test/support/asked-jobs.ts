import type { Database } from '../../kernel/connection/database'
import { subgraphs } from '../../subgraphs'
import { startGraph, type TestGraph, type TestTenant } from './graph'
import { runJob } from './jobs'

/** Starts a graph whose jobs are done when a test says so, each by its subgraph. */
export async function startWithJobs(): Promise<{
  graph: TestGraph
  databases: ReadonlyMap<string, Database>
  /** Does what waits with one of these names until nothing does, by the test's clock; schedules aside. */
  work: (tenant: TestTenant, ...names: readonly string[]) => Promise<void>
  /** Does a job of a subgraph's once, as its schedule would. */
  once: (tenant: TestTenant, subgraph: string, name: string, payload?: object) => Promise<void>
}> {
  const databases = new Map<string, Database>()
  const graph = await startGraph({
    around: (name, database) => {
      databases.set(name, database)
      return database
    },
  })
  const run = (tenant: TestTenant, subgraph: string, name: string, payload: object = {}) => {
    const job = subgraphs.find((one) => one.name === subgraph)!.jobs.find((one) => one.name === name)!
    const services = { ...graph.server.services, clock: graph.clock }
    return runJob(job, databases.get(subgraph)!, services, { tenantId: tenant.id, payload })
  }
  const work = async (tenant: TestTenant, ...names: readonly string[]) => {
    for (;;) {
      const { rows } = await graph.owner.query<{ subgraph: string; name: string; payload: object }>(
        `DELETE FROM shared.jobs WHERE tenant_id = $1 AND name = ANY ($2) RETURNING subgraph, name, payload`,
        [tenant.id, names],
      )
      if (rows.length === 0) return
      // Answers are looked for when they are there.
      rows.sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name))
      for (const { subgraph, name, payload } of rows) await run(tenant, subgraph, name, payload)
    }
  }
  return { graph, databases, work, once: run }
}
