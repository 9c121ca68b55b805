import { systemClock } from '../../kernel/clock'
import { openDatabase } from '../../kernel/connection/database'
import type { Services } from '../../kernel/context'
import { DataKeys } from '../../kernel/encryption/data-keys'
import { keyRing } from '../../kernel/encryption/key-ring'
import { jobWorker } from '../../kernel/jobs/worker'
import { loadConfig } from '../../kernel/process/config'
import { createLogger } from '../../kernel/process/log'
import { buildSchema } from '../../kernel/schema/subgraph-schema'
import tenancy from '../../subgraphs/tenancy'
import { billing } from '../../subgraphs/tenancy/jobs/billing'

/** A process of its own that does the billing jobs that wait, until it is killed. */
const [url] = process.argv.slice(2)

async function main(): Promise<void> {
  const config = loadConfig({ NODE_ENV: 'test', LOG_LEVEL: 'error' })
  const database = await openDatabase({
    url: url!,
    entities: [...tenancy.entities],
    connections: 8,
    applicationName: 'billing',
  })
  // Tells the kernel which columns and fields the entities have, as a subgraph does before it works.
  await buildSchema(tenancy, database, {})
  const dataKeys = new DataKeys(keyRing(new Map([['test', Buffer.alloc(32, 1)]])))
  const services = { clock: systemClock, log: createLogger(config), config, dataKeys } as unknown as Services
  jobWorker('tenancy', [billing], database, services, { slots: 4 }).start()
  console.log('working')
}

void main()
