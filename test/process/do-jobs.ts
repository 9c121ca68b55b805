import { openDatabase } from '../../kernel/connection/database'
import { systemClock } from '../../kernel/clock'
import type { Services } from '../../kernel/context'
import { DataKeys } from '../../kernel/encryption/data-keys'
import { keyRing } from '../../kernel/encryption/key-ring'
import type { Job } from '../../kernel/jobs'
import { jobWorker } from '../../kernel/jobs/worker'
import { loadConfig } from '../../kernel/process/config'
import { createLogger } from '../../kernel/process/log'

/** A process of its own that does the jobs of hr until it is killed: each adds a row of a ledger and emits an event. */
const [url] = process.argv.slice(2)

const entry: Job<{ place: number }> = {
  name: 'entry',
  async run({ clock }, tx, { place }) {
    tx.audit({ action: 'CREATE', resourceType: 'Ledger', resourceId: String(place), changes: {} })
    tx.emit('hr.entry-made', { type: 'Ledger', id: String(place) }, { place })
    // Long enough that a kill finds it half done.
    await new Promise((resolve) => setTimeout(resolve, clock.now().getTime() % 20))
  },
}

async function main(): Promise<void> {
  const config = loadConfig({ NODE_ENV: 'test', LOG_LEVEL: 'silent' })
  const database = await openDatabase({
    url: url!,
    entities: [],
    connections: 8,
    applicationName: 'ledger',
  })
  // The same key in every process: one reads what another has wrapped.
  const dataKeys = new DataKeys(keyRing(new Map([['test', Buffer.alloc(32, 1)]])))
  const services = { clock: systemClock, log: createLogger(config), config, dataKeys } as unknown as Services
  jobWorker('hr', [entry], database, services, { slots: 4 }).start()
  console.log('working')
}

void main()
