import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  blobs,
  change,
  faults,
  folder,
  hashAnew,
  keepTrails,
  keys,
  nextTenant,
  query,
  seal,
  tenant,
  verify,
  write,
} from './trail'

keepTrails()

describe('C4: a chain tells of', () => {
  beforeEach(async () => {
    await write(7)
    await seal()
  })

  test.each([
    ['changes', `changes = '{"after": {"name": "y"}}'`],
    ['an actor', 'actor_id = id'],
    ['no actor', 'actor_id = NULL'],
    ['an action', "action = 'VIEW'"],
    ['a type', "resource_type = 'thing'"],
    ['a resource', "resource_id = 'thing-9'"],
    ['a time', "occurred_at = occurred_at + interval '1 millisecond'"],
    ['an address', "ip_address = '10.0.0.2'"],
    ['a user agent', `user_agent = 'agent "u"'`],
    ['a request', "request_id = 'R'"],
    ['an id', "id = '0193a000-0000-7000-8000-000000000001'"],
  ])('%s that was changed', async (_, set) => {
    await change(set, 4)
    expect(await faults()).toEqual(['CHANGED 4'])
  })

  test('an era that was changed', async () => {
    await query(
      `CREATE TABLE shared.audit_logs_bc PARTITION OF shared.audit_logs FOR VALUES FROM (MINVALUE) TO ('0001-01-01 00:00Z')`,
    )
    await change(
      "occurred_at = (to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS') || '+00 BC')::timestamptz",
      4,
    )
    expect(await faults()).toEqual(['CHANGED 4'])
    await query('DELETE FROM shared.audit_logs WHERE tenant_id = $1', [tenant.id])
    await query('DROP TABLE shared.audit_logs_bc')
  })

  test('every column', async () => {
    const known = ['tenant_id', 'position', 'hash']
    const columns = await query(
      `SELECT attname::text AS name FROM pg_attribute WHERE attrelid = 'shared.audit_logs'::regclass AND attnum > 0 AND NOT attisdropped`,
    )
    expect(
      columns
        .map(({ name }) => name)
        .filter((name) => !known.includes(String(name)))
        .sort(),
    ).toEqual(
      [
        'id',
        'occurred_at',
        'actor_id',
        'action',
        'resource_type',
        'resource_id',
        'changes',
        'ip_address',
        'user_agent',
        'request_id',
      ].sort(),
    )
  })

  test('an entry that was removed, or several', async () => {
    await query('DELETE FROM shared.audit_logs WHERE tenant_id = $1 AND position = 4', [tenant.id])
    expect((await verify()).faults).toEqual([{ kind: 'MISSING', position: 4, message: 'entry 4 is missing' }])
    await query('DELETE FROM shared.audit_logs WHERE tenant_id = $1 AND position IN (1, 2, 5)', [tenant.id])
    expect((await verify()).faults.map(({ message }) => message)).toEqual([
      'entries 1 to 2 are missing',
      'entries 4 to 5 are missing',
    ])
  })

  test('entries that were exchanged, in content or in place', async () => {
    const swap = (columns: string) =>
      query(
        `UPDATE shared.audit_logs l SET (${columns}) = (SELECT ${columns} FROM shared.audit_logs o
           WHERE o.tenant_id = l.tenant_id AND o.position = 9 - l.position) WHERE tenant_id = $1 AND position IN (4, 5)`,
        [tenant.id],
      )
    await swap('position, hash')
    expect(await faults()).toEqual(['CHANGED 4', 'CHANGED 5'])
    await swap('position, hash')
    expect(await faults()).toEqual([])
    await swap('resource_id, actor_id')
    expect(await faults()).toEqual(['CHANGED 4', 'CHANGED 5'])
  })

  test('a position that stands twice', async () => {
    await query(
      `INSERT INTO shared.audit_logs (tenant_id, occurred_at, id, action, resource_type, changes, position, hash)
       SELECT tenant_id, occurred_at, $2, action, 'Forged', changes, position, hash FROM shared.audit_logs
        WHERE tenant_id = $1 AND position = 4`,
      [tenant.id, 'ffffffff-0000-7000-8000-000000000001'],
    )
    expect(await faults()).toEqual(['TWICE 4'])
  })

  test('a hash that was changed', async () => {
    await change(`hash = '${'a'.repeat(64)}'`, 4)
    expect(await faults()).toEqual(['CHANGED 4', 'CHANGED 5'])
  })

  test('a chain that was written anew from a change on', async () => {
    await write(2)
    await seal()
    await change("action = 'VIEW'", 8)
    await hashAnew()
    const { faults: found, signedTo } = await verify()
    expect(found.map(({ kind, position }) => `${kind} ${position}`)).toEqual(['CHECKPOINT 9'])
    expect(signedTo).toBe(7)
  })

  test('entries that were removed at the end, and of an end that was moved with them', async () => {
    await query('DELETE FROM shared.audit_logs WHERE tenant_id = $1 AND position > 5', [tenant.id])
    expect((await verify()).faults).toEqual([
      { kind: 'CHECKPOINT', position: 7, message: 'entries 6 to 7 are missing at the end' },
    ])
    await hashAnew()
    expect(await faults()).toEqual(['CHECKPOINT 7', 'CHECKPOINT 5'])
    await query('DELETE FROM shared.audit_logs WHERE tenant_id = $1', [tenant.id])
    await query('DELETE FROM shared.audit_chains WHERE tenant_id = $1', [tenant.id])
    expect(await faults()).toEqual(['CHECKPOINT 7'])
  })

  test('entries that were removed at the end before anybody signed them', async () => {
    await write(2)
    await seal(false)
    await query('DELETE FROM shared.audit_logs WHERE tenant_id = $1 AND position = 9', [tenant.id])
    expect(await faults()).toEqual(['MISSING 9'])
  })

  test('digits that no double holds', async () => {
    await write(1, new Date(), '{"after": {"amount": 12345678901234567890.10}}')
    await seal()
    expect(await faults()).toEqual([])
    await change(`changes = '{"after": {"amount": 12345678901234567890.1}}'`, 8)
    expect(await faults()).toEqual(['CHANGED 8'])
  })

  describe('checkpoints that', () => {
    const file = (position: number) =>
      join(folder, 'blobs', tenant.id, 'audit', 'checkpoints', `${String(position).padStart(16, '0')}.json@`)

    beforeEach(async () => {
      await write(1)
      await seal()
    })

    const isAnother = 'the checkpoint at 8, which was signed last, is another'

    test('were removed, the last one and all of them too', async () => {
      rmSync(file(7))
      expect(await faults()).toEqual(['STATEMENT 8'])
      rmSync(file(8))
      expect((await verify()).faults).toEqual([
        {
          kind: 'CHECKPOINT',
          position: 8,
          message: 'the checkpoint at 8, which was signed last, is missing',
        },
      ])
      // Nor does it help to say that there never was one.
      await query(
        'UPDATE shared.audit_chains SET signed_position = 0, signed_hash = NULL, signed_at = NULL WHERE tenant_id = $1',
        [tenant.id],
      )
      expect((await verify()).faults.map(({ message }) => message)).toEqual([
        'nothing was signed, and the chain ends at 8',
      ])
    })

    test('were changed, or are signed by somebody else', async () => {
      const put = (line: string) =>
        blobs.of(tenant.id).put(`audit/checkpoints/${'8'.padStart(16, '0')}.json`, [Buffer.from(line)])
      const line = readFileSync(file(8), 'utf8').split('\n')[1]!
      await put(`${line.replace('\\"position\\":8', '\\"position\\":9')}\n`)
      expect((await verify()).faults.map(({ message }) => message)).toEqual([
        expect.stringContaining('its signature does not hold'),
        isAnother,
      ])
      await put(`${line.replace(keys.kid!, 'x')}\n`)
      expect((await verify()).faults.map(({ message }) => message)).toEqual([
        expect.stringContaining('not accepted'),
        isAnother,
      ])
      await put('nothing')
      expect((await verify()).faults.map(({ message }) => message)).toEqual([
        expect.stringContaining('no statement'),
        isAnother,
      ])
      await put(`${line}\n`)
      expect(await faults()).toEqual([])
    })

    test('are another tenant’s', async () => {
      const text = readFileSync(file(8))
      await nextTenant()
      await write(8)
      await seal()
      writeFileSync(file(8), text)
      expect((await verify()).faults.map(({ message }) => message)).toEqual([
        expect.stringContaining('another tenant'),
        isAnother,
      ])
    })
  })
})
