import { rmSync } from 'node:fs'

/** Stops the run's PostgreSQL and removes its files. */
export default async function teardown(): Promise<void> {
  if (!globalThis.testCluster) return
  const { server, dataDir } = globalThis.testCluster
  await server.stop()
  rmSync(server.cluster, { recursive: true, force: true })
  rmSync(dataDir, { recursive: true, force: true })
}
