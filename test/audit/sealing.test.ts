import { sealDue } from '../../kernel/sealing/seal-due'
import { verifyTenants } from '../../database/audit/verify'
import { openDatabase } from '../../kernel/connection/database'
import { loadAuditKeys } from '../../kernel/sealing/audit-keys'
import { startGraph } from '../support/graph'
import {
  clock,
  database,
  faults,
  graph,
  keepTrails,
  nextTenant,
  positions,
  query,
  seal,
  tenant,
  verify,
  write,
  sealing,
} from './trail'

keepTrails()

describe('sealing', () => {
  test('gives positions in order, without gap, and the chain holds', async () => {
    await write(3)
    expect(await seal()).toEqual({ entries: 3, checkpoints: 1 })
    await write(2)
    expect(await verify()).toMatchObject({ entries: 3, end: 3, unsealed: 2, signedTo: 3, faults: [] })
    expect(await seal()).toEqual({ entries: 2, checkpoints: 1 })
    expect(await seal()).toEqual({ entries: 0, checkpoints: 0 })
    expect(await positions()).toEqual([1, 2, 3, 4, 5])
    expect(await verify()).toMatchObject({
      entries: 5,
      cut: 0,
      checkpoints: 2,
      signedTo: 5,
      unsealed: 0,
      faults: [],
    })
  })

  test('takes what was written by a mutation, and keeps tenants apart', async () => {
    const other = tenant
    await write(1)
    await nextTenant()
    const admin = await tenant.as('ADMIN')
    await admin.data(
      'mutation { createHoliday(input: { name: "Audit day", day: "2026-05-05" }) { userErrors { code } } }',
    )
    await seal()
    const report = await verify()
    expect(report).toMatchObject({ faults: [], unsealed: 0 })
    expect(report.end).toBeGreaterThan(0)
    await nextTenant(other)
    expect(await verify()).toMatchObject({ entries: 0, end: 0, unsealed: 1, faults: [] })
  })

  test('gives later positions to what commits later, whatever its time', async () => {
    await write(2)
    await seal()
    await write(1, new Date(Date.now() - 3_600_000))
    await seal()
    const [last] = await query(
      "SELECT occurred_at < now() - interval '30 minutes' AS old FROM shared.audit_logs WHERE tenant_id = $1 AND position = 3",
      [tenant.id],
    )
    expect(last).toEqual({ old: true })
    expect(await faults()).toEqual([])
  })

  test('is done once by several who try, while others write', async () => {
    const writing = write(150)
    let ends = 0
    while (ends < 5) {
      await Promise.all([seal(false), seal(false), seal(false)])
      const waiting = (await verify()).unsealed
      if (waiting === 0 && (await positions()).length === 150) ends++
    }
    await writing
    await seal()
    expect(await positions()).toEqual(Array.from({ length: 150 }, (_, place) => place + 1))
    expect(await faults()).toEqual([])
  })

  test('signs ten minutes after the last time, and what a quiet tenant left', async () => {
    await write(1)
    expect(await seal(false)).toEqual({ entries: 1, checkpoints: 1 })
    await write(1)
    expect(await seal(false)).toEqual({ entries: 1, checkpoints: 0 })
    const due = async () =>
      (
        await database.rows(
          { tenantId: null },
          {
            text: 'SELECT shared.tenants_to_seal($1, 1000)',
            values: [new Date(clock.now().getTime() - 600_000).toISOString()],
          },
        )
      ).flat()
    expect(await due()).not.toContain(tenant.id)
    clock.advance({ minutes: 11 })
    expect(await due()).toContain(tenant.id)
    expect(await seal(false)).toEqual({ entries: 0, checkpoints: 1 })
    expect(await due()).not.toContain(tenant.id)
    expect(await verify()).toMatchObject({ checkpoints: 2, signedTo: 2, faults: [] })
  })

  test('signs at once when asked to, also of tenants that were signed a moment ago', async () => {
    await write(1)
    await seal(false)
    await write(1)
    expect(await seal(false)).toEqual({ entries: 1, checkpoints: 0 })
    await sealDue(sealing(), undefined, { sign: true })
    expect(await verify()).toMatchObject({ checkpoints: 2, signedTo: 2, faults: [] })
  })

  test('is nobody’s but compliance’s, and changes nothing else', async () => {
    await write(1)
    const denied = { code: '42501' }
    const hr = await openDatabase({
      url: graph.database.urlFor('hr'),
      entities: [],
      connections: 3,
      applicationName: 'audit test hr',
    })
    const asHr = (text: string) => hr.rows({ tenantId: tenant.id }, { text })
    const asCompliance = (text: string) => database.rows({ tenantId: tenant.id }, { text })
    try {
      await expect(asHr('UPDATE shared.audit_logs SET position = 9')).rejects.toMatchObject(denied)
      await expect(asHr('SELECT FROM shared.audit_chains')).rejects.toMatchObject(denied)
      await expect(asHr('SELECT shared.tenants_to_seal(now(), 1)')).rejects.toMatchObject(denied)
      for (const column of ['changes', 'actor_id', 'occurred_at', 'action', 'id'])
        await expect(
          asCompliance(`UPDATE shared.audit_logs SET ${column} = ${column}`),
        ).rejects.toMatchObject(denied)
      await expect(asCompliance('DELETE FROM shared.audit_logs')).rejects.toMatchObject(denied)
    } finally {
      await hr.close()
    }
    expect(await positions()).toEqual([0])
  })
})

test('the product seals and signs by itself', async () => {
  const own = await startGraph({ backgroundMs: 20 })
  try {
    const { id, as } = await own.tenant('acme')
    await as('ADMIN')
    const signed = async () =>
      (
        await own.owner.query(
          'SELECT FROM shared.audit_chains WHERE tenant_id = $1 AND signed_position > 0',
          [id],
        )
      ).rowCount
    // The suite's time limit tells when nobody signs.
    while ((await signed()) === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    const reports = await verifyTenants({
      migratorUrl: own.database.migratorUrl,
      blobs: own.server.services.blobs,
      keys: loadAuditKeys(own.config),
    })
    expect(reports).toMatchObject([{ slug: 'acme', checkpoints: 1, faults: [] }])
  } finally {
    await own.close()
  }
})
