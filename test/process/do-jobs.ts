import { systemClock } from '../../kernel/clock'
import { openBlobs } from '../../kernel/blobs/open-blobs'
import { openDatabase } from '../../kernel/connection/database'
import type { Services } from '../../kernel/context'
import { eventDispatcher } from '../../kernel/events/dispatcher'
import { memoryEventLog } from '../../kernel/events/event-log-memory'
import type { Job } from '../../kernel/jobs'
import { jobWorker } from '../../kernel/jobs/worker'
import { loadConfig } from '../../kernel/process/config'
import { createLogger } from '../../kernel/process/log'
import { loadAuditKeys } from '../../kernel/sealing/audit-keys'
import { sealDue } from '../../kernel/sealing/seal-due'
import { ledgerKeys } from './ledger-keys'

/**
 * A process of its own that does the jobs of hr until it is killed: each adds a row of a ledger and emits two events. Beside it
 * brings events to its log and seals the audit trail. Asked by SIGUSR2, it prints the events that its log has.
 */
const [hrUrl, gatewayUrl, complianceUrl, dataDir, ...tenants] = process.argv.slice(2) as [
  ...[string, string, string, string],
  ...string[],
]

const entry: Job<{ place: number }> = {
  name: 'entry',
  async run({ clock }, tx, { place }) {
    tx.audit({ action: 'CREATE', resourceType: 'Ledger', resourceId: String(place), changes: {} })
    tx.emit('hr.entry-made', { type: 'Ledger', id: String(place) }, { place })
    tx.emit('hr.entry-kept', { type: 'Ledger', id: String(place) }, { place })
    // Long enough that a kill finds it half done.
    await new Promise((resolve) => setTimeout(resolve, clock.now().getTime() % 20))
  },
}

async function main(): Promise<void> {
  const config = loadConfig({ ...process.env, NODE_ENV: 'test', LOG_LEVEL: 'silent', DATA_DIR: dataDir })
  const log = createLogger(config)
  const open = (url: string, connections: number) =>
    openDatabase({ url, entities: [], connections, applicationName: 'ledger' })
  const [hr, gateway, compliance] = await Promise.all([
    open(hrUrl, 8),
    open(gatewayUrl, 3),
    open(complianceUrl, 3),
  ])
  const dataKeys = ledgerKeys()
  const services = { clock: systemClock, log, config, dataKeys } as unknown as Services
  const eventLog = memoryEventLog(systemClock)
  const pubSub = { publish: async () => undefined }
  const sealing = { database: compliance, blobs: openBlobs(config), keys: loadAuditKeys(config) }
  jobWorker('hr', [entry], hr, services, { slots: 4 }).start()
  eventDispatcher({ database: gateway, eventLog, pubSub, log }).start()
  process.on('SIGUSR2', () => void print())
  console.log('working')
  for (;;) {
    // Each time with a checkpoint, so that a kill finds one half made.
    await sealDue({ ...sealing, clock: systemClock, log }, tenants, { sign: true })
    await new Promise((resolve) => setTimeout(resolve, 10))
  }

  async function print(): Promise<void> {
    const pages = await Promise.all(
      tenants.map(async (id) => {
        const [first] = await gateway.rows(
          { tenantId: id },
          { text: 'SELECT dispatched FROM shared.event_positions WHERE tenant_id = $1', values: [id] },
        )
        const last = Number(first![0])
        // The log begins where this process did.
        for (let after = 0; after < last; after++) {
          const page = await eventLog.read(id, after, 10_000)
          if (!page.isGap) return page.events.map(({ position, id }) => [position, id])
        }
        return []
      }),
    )
    console.log(`log ${JSON.stringify(pages)}`)
  }
}

void main()
