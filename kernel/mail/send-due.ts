import type { Clock } from '../clock'
import type { Database } from '../connection/database'
import type { Logger } from '../process/log'
import { prepared } from '../statement'
import type { MailSeal } from './seal'
import { MailRefused, type MailTransport } from './transport'

export interface MailSending {
  /** Of the role that may read and change `shared.mails`. */
  database: Database
  transport: MailTransport
  seal: MailSeal
  clock: Clock
  log: Logger
}

/** Counts of mails by how they ended. */
export interface MailCounts {
  sent: number
  /** Tried again later. */
  waiting: number
  /** Given up. */
  failed: number
}

/** A claimed mail belongs to its sender for so long; when nobody answers for it by then, another takes it. */
const leaseMs = 10 * 60_000
const mostTenants = 50
/** Of one tenant at a time, so that nobody's thousand mails hold up another's one. */
const batch = 10
const firstPauseMs = 60_000
const longestPauseMs = 60 * 60_000
const giveUpAfterMs = 3 * 24 * 60 * 60_000

const dueTenants = 'SELECT shared.tenants_with_due_mail($1, $2)'
const claim = `UPDATE shared.mails SET attempts = attempts + 1, due_at = $3
   WHERE tenant_id = $1 AND id = ANY (ARRAY(
     SELECT id FROM shared.mails WHERE tenant_id = $1 AND due_at <= $2 ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED))
  RETURNING id, kind, sealed, attempts, created_at`
const end = `UPDATE shared.mails SET sealed = NULL, due_at = NULL, status = $4, ended_at = $5, failure = $6
   WHERE tenant_id = $1 AND id = $2 AND attempts = $3 AND due_at IS NOT NULL`
const postpone = `UPDATE shared.mails SET due_at = $4, failure = $5
   WHERE tenant_id = $1 AND id = $2 AND attempts = $3 AND due_at IS NOT NULL`

interface Claimed {
  tenantId: string
  id: string
  kind: string
  sealed: string
  /** This one included. It also tells a claim from a later one, by whoever took the mail over. */
  attempts: number
  createdAt: string
}

/**
 * Sends mails that are due, tenant by tenant, and says what became of them. Any number of processes may do it at once. A
 * process that dies after the mail was taken and before it was noted has it sent again, under the same Message-ID. What
 * was sent or given up is emptied in the same statement that notes it.
 */
export async function sendDue(sending: MailSending): Promise<MailCounts> {
  const { database, clock } = sending
  const counts: MailCounts = { sent: 0, waiting: 0, failed: 0 }
  const now = clock.now().toISOString()
  const due = await database.rows({ tenantId: null }, prepared(dueTenants, [now, mostTenants]))
  for (let tenants = due.map(([id]) => String(id)); tenants.length > 0;) {
    const left: string[] = []
    for (const tenantId of tenants) {
      const claimed = await claimDue(sending, tenantId)
      const ends = await Promise.all(claimed.map((mail) => deliver(sending, mail)))
      for (const one of ends) counts[one]++
      // Where nothing gets out the rest comes later, rather than a timeout for each.
      if (claimed.length === batch && ends.some((one) => one !== 'waiting')) left.push(tenantId)
    }
    tenants = left
  }
  return counts
}

async function claimDue({ database, clock }: MailSending, tenantId: string): Promise<Claimed[]> {
  const now = clock.now()
  const until = new Date(now.getTime() + leaseMs).toISOString()
  const rows = await database.rows({ tenantId }, prepared(claim, [tenantId, now.toISOString(), until, batch]))
  return rows.map((row) => {
    const [id, kind, sealed, attempts, createdAt] = row as [string, string, string, number, string]
    return { tenantId, id, kind, sealed, attempts, createdAt }
  })
}

async function deliver(sending: MailSending, claimed: Claimed): Promise<keyof MailCounts> {
  const { database, transport, seal, clock, log } = sending
  const { tenantId, id, kind, attempts, createdAt, sealed } = claimed
  const settle = (text: string, values: readonly unknown[]) =>
    database.rows({ tenantId }, prepared(text, [tenantId, id, attempts, ...values]))
  try {
    await transport.send({ ...seal.open({ tenantId, id }, sealed), id })
  } catch (error) {
    const now = clock.now()
    const failure = (error instanceof Error ? error.message : String(error)).slice(0, 200)
    const isOver = error instanceof MailRefused || now.getTime() - Date.parse(createdAt) >= giveUpAfterMs
    if (isOver) {
      await settle(end, ['FAILED', now.toISOString(), failure])
      log.error({ mail: id, kind, tenantId, attempts, failure }, 'a mail was given up')
      return 'failed'
    }
    const pause = Math.min(firstPauseMs * 2 ** (attempts - 1), longestPauseMs)
    await settle(postpone, [new Date(now.getTime() + pause).toISOString(), failure])
    log.warn({ mail: id, kind, tenantId, attempts, failure }, 'a mail could not be sent and waits')
    return 'waiting'
  }
  await settle(end, ['SENT', clock.now().toISOString(), null])
  return 'sent'
}
