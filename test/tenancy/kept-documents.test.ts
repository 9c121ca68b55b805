import { mkdtempSync, readFileSync, statSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportKeptDocuments } from '../../database/kept-documents'
import { dueDeletions } from '../../subgraphs/tenancy/jobs/due-deletions'
import { runJob } from '../support/jobs'
import { change } from '../support/lists'
import { operatorIn } from '../support/operator'
import { billingOf, startBilling } from './billed'

/** What the platform billed stays when the tenant goes (decision 0050). */
let started: Awaited<ReturnType<typeof startBilling>>

beforeAll(async () => (started = await startBilling()))
afterAll(() => started?.graph.close())

const { subscriber, bill } = billingOf(() => started)
const rows = async <T extends object>(text: string, values: unknown[] = []) =>
  (await started.graph.owner.query<T>(text, values)).rows
const kept = (tenantId: string) =>
  rows<{ kind: string; number: string | null; until: string; content: Record<string, unknown> }>(
    `SELECT kind, number, kept_until::text AS until, content FROM tenancy.kept_documents
      WHERE former_tenant = $1 ORDER BY kind, number`,
    [tenantId],
  )

/** Deletes a tenant whose days of grace are over. */
async function remove(tenantId: string, isSandbox = false): Promise<void> {
  await rows(
    `UPDATE tenancy.tenants SET is_sandbox = $2, ahead_seconds = 0, status = 'CANCELLED', status_reason = 'Contract over',
            status_changed_at = now() - interval '8 days', deletion_due_at = now() - interval '1 minute' WHERE id = $1`,
    [tenantId, isSandbox],
  )
  await runDeletions()
}

const runDeletions = () => runJob(dueDeletions, started.tenancy, started.graph.server.services)

const tables = ['invoices', 'invoice_lines', 'credit_notes', 'payments']

test('documents and payments of a deleted tenant stay as they were, its drafts and everything else go', async () => {
  const [one, other] = [await subscriber(), await subscriber()]
  await bill(one)
  await bill(other)
  const operator = await operatorIn(started.graph, one.tenant)
  const [invoice] = await rows<{ id: string; number: string; line: string; total: string; year: number }>(
    `SELECT i.id, i.invoice_number AS number, l.id AS line, i.total, extract(year FROM i.issued_at AT TIME ZONE 'UTC')::int AS year
       FROM tenancy.invoices i JOIN tenancy.invoice_lines l ON l.tenant_id = i.tenant_id AND l.invoice_id = i.id
      WHERE i.tenant_id = $1`,
    [one.tenant.id],
  )
  const { id: invoiceId, line: invoiceLineId, year } = invoice!
  const credit = { invoiceId, reason: 'ERROR', lines: [{ invoiceLineId, amount: '1' }] }
  const note = await change<{ id: string; version: number }>(
    operator,
    'draftCreditNote',
    credit,
    'creditNote { id version }',
  )
  const ofNote = { id: note.id, expectedVersion: note.version }
  await change(operator, 'issueCreditNote', ofNote, 'creditNote { id }')
  await change(
    operator,
    'draftInvoice',
    { currency: 'EUR', lines: [{ description: 'Help', unitPrice: '10' }] },
    'invoice { id }',
  )
  await change(
    operator,
    'recordPayment',
    {
      ...{ amount: { amount: '5.00', currency: 'EUR' }, method: 'BANK_TRANSFER', reference: 'R-1' },
      receivedOn: `${year}-01-31`,
    },
    'payment { id }',
  )
  const before: Record<string, { row: Record<string, unknown> }[]> = {}
  for (const table of tables)
    before[table] = await rows(`SELECT to_jsonb(t) AS row FROM tenancy.${table} t WHERE tenant_id = $1`, [
      one.tenant.id,
    ])
  const rowOf = (table: string, id: unknown) => before[table]!.find(({ row }) => row['id'] === id)!.row
  expect(before['invoices']).toHaveLength(2)

  await remove(one.tenant.id)

  expect(await rows('SELECT FROM tenancy.tenants WHERE id = $1', [one.tenant.id])).toEqual([])
  const [noteKept, invoiceKept, payment, ...others] = await kept(one.tenant.id)
  expect(others).toEqual([])
  const until = `${year + 10}-12-31`
  expect([noteKept, invoiceKept, payment]).toMatchObject([
    { kind: 'CREDIT_NOTE', number: rowOf('credit_notes', note.id)['credit_note_number'], until },
    { kind: 'INVOICE', number: invoice!.number, until },
    { kind: 'PAYMENT', number: 'R-1', until },
  ])
  expect(noteKept!.content['document']).toEqual(rowOf('credit_notes', note.id))
  expect(invoiceKept!.content['document']).toEqual(rowOf('invoices', invoiceId))
  expect(invoiceKept!.content['lines']).toContainEqual(rowOf('invoice_lines', invoiceLineId))
  expect(payment!.content['document']).toEqual(before['payments']![0]!.row)
  expect(await kept(other.tenant.id)).toEqual([])
  expect(await rows('SELECT FROM tenancy.invoices WHERE tenant_id = $1', [other.tenant.id])).toHaveLength(1)

  const folder = mkdtempSync(join(tmpdir(), 'kept-documents-'))
  const file = join(folder, 'documents.jsonl')
  await rows('BEGIN')
  expect(await exportKeptDocuments(started.graph.owner, file, one.tenant.slug)).toBe(3)
  await expect(exportKeptDocuments(started.graph.owner, file, null)).rejects.toThrow(/cannot be made/)
  await rows('COMMIT')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  expect(lines.map((text) => (JSON.parse(text) as { former_tenant: string }).former_tenant)).toEqual(
    Array(3).fill(one.tenant.id),
  )
  rmSync(folder, { recursive: true })

  // Nobody changes them, and they go on their day.
  for (const text of [
    `UPDATE tenancy.kept_documents SET number = 'X'`,
    'DELETE FROM tenancy.kept_documents',
    'TRUNCATE tenancy.kept_documents',
  ])
    await expect(rows(text)).rejects.toThrow('a kept document stays as it is until its years are over')
  await runDeletions()
  expect(await kept(one.tenant.id)).toHaveLength(3)
  await rows('ALTER TABLE tenancy.kept_documents DISABLE TRIGGER keep_document')
  const aged = `UPDATE tenancy.kept_documents SET issued_on = '2000-01-01', kept_until = current_date - $2::int WHERE id = $1`
  await rows(aged, [invoiceId, 1])
  await rows(aged, [note.id, 0])
  await rows('ALTER TABLE tenancy.kept_documents ENABLE TRIGGER keep_document')
  await runDeletions()
  expect((await kept(one.tenant.id)).map(({ kind }) => kind)).toEqual(['CREDIT_NOTE', 'PAYMENT'])
})

test('a sandbox leaves no documents: none of it was billed to anybody', async () => {
  const one = await subscriber()
  await bill(one)
  await remove(one.tenant.id, true)
  expect(await rows('SELECT FROM tenancy.tenants WHERE id = $1', [one.tenant.id])).toEqual([])
  expect(await kept(one.tenant.id)).toEqual([])
})
