import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { dropMonth } from '../../database/audit/drop-month'
import {
  blobs,
  change,
  clock,
  exported,
  faults,
  folder,
  graph,
  keepTrails,
  keys,
  positions,
  query,
  seal,
  tenant,
  verify,
  write,
} from './trail'

keepTrails()

describe('an old month that was dropped', () => {
  const drop = (month: string) =>
    dropMonth({ migratorUrl: graph.database.migratorUrl, blobs, keys, clock }, month)

  /** Positions 1, 2 and 4 in March, 3 and 5 in April 2015, 6 to 8 later. */
  beforeEach(async () => {
    for (const [month, until] of [
      ['2015-03', '2015-04'],
      ['2015-04', '2015-05'],
    ] as const)
      await query(
        `CREATE TABLE IF NOT EXISTS shared.audit_logs_${month.replace('-', '')} PARTITION OF shared.audit_logs
           FOR VALUES FROM ('${month}-01 00:00+00') TO ('${until}-01 00:00+00')`.trim(),
      )
    for (const at of [
      '2015-03-01T00:00:00Z',
      '2015-03-31T23:59:59.999Z',
      '2015-04-01T00:00:00Z',
      '2015-03-15T12:00:00Z',
      '2015-04-02T00:00:00Z',
    ]) {
      await write(1, at)
      await seal()
    }
    await write(3)
    await seal()
  })

  afterEach(async () => {
    await query('DELETE FROM shared.audit_logs WHERE tenant_id = $1', [tenant.id])
    await query('DELETE FROM shared.audit_chains WHERE tenant_id = $1', [tenant.id])
  })

  test.each([
    ['2015-3', 'is no month'],
    ['2015-02', 'There is no month'],
    [new Date().toISOString().slice(0, 7), 'is kept until'],
    [`${new Date().getUTCFullYear() - 9}-01`, 'is kept until'],
  ])('is not %s: %s', async (month, message) => {
    await expect(drop(month)).rejects.toThrow(message)
    expect(await positions()).toHaveLength(8)
  })

  test('is sealed whole, and holds', async () => {
    await write(1, '2015-03-02T00:00:00Z')
    await expect(drop('2015-03')).rejects.toThrow('no position yet')
    await seal()
    await change("action = 'VIEW'", 6)
    await expect(drop('2015-03')).rejects.toThrow('does not hold')
    expect(await positions()).toHaveLength(9)
  })

  test('leaves a chain that can be verified, and exported', async () => {
    expect(await drop('2015-03')).toMatchObject({ tenants: expect.any(Number) })
    expect(await positions()).toEqual([3, 5, 6, 7, 8])
    expect(await verify()).toMatchObject({ entries: 5, cut: 3, end: 8, signedTo: 8, faults: [] })
    await write(2)
    await seal()
    expect(await verify()).toMatchObject({ entries: 7, cut: 3, end: 10, faults: [] })
    await exported().then(({ code, output }) =>
      expect([code, output]).toEqual([0, expect.stringContaining('everything holds')]),
    )

    // An entry between two that were cut has nobody behind it but the cut.
    await change("action = 'VIEW'", 3)
    expect(await faults()).toEqual(['CHANGED 3'])
    await change("action = 'UPDATE'", 3)
    await change("action = 'VIEW'", 5)
    expect(await faults()).toEqual(['CHANGED 5'])
    await change("action = 'UPDATE'", 5)

    await drop('2015-04')
    expect(await verify()).toMatchObject({ entries: 5, cut: 5, end: 10, faults: [] })
    await exported().then(({ code }) => expect(code).toBe(0))
    await query('DELETE FROM shared.audit_logs WHERE tenant_id = $1 AND position = 6', [tenant.id])
    expect(await faults()).toEqual(['MISSING 6'])
    rmSync(join(folder, 'blobs', tenant.id, 'audit', 'cuts', '2015-03.json@'))
    expect((await verify()).faults.map(({ kind }) => kind)).toContain('MISSING')
  })
})
