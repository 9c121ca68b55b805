import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { dropMonth } from '../../database/audit/drop-month'
import { exportTenant } from '../../database/audit/export'
import { verifyTenants, type TenantReport } from '../../database/audit/verify'
import { openBlobs } from '../../kernel/blobs/open-blobs'
import type { BlobStore } from '../../kernel/blobs/blob-store'
import { openDatabase, type Database } from '../../kernel/connection/database'
import { createLogger } from '../../kernel/process/log'
import { uuidv7 } from '../../kernel/id'
import { loadAuditKeys } from '../../kernel/sealing/audit-keys'
import { entryOf, genesis, linkText, sha256 } from '../../kernel/sealing/chain'
import { sealDue } from '../../kernel/sealing/seal-due'
import { tokenKeys } from '../../kernel/sign-in/token-keys'
import { cheapBcrypt } from '../support/bcrypt'
import { startGraph, TestClock, type TestGraph, type TestTenant } from '../support/graph'

const run = promisify(execFile)
const keys = tokenKeys(generateKeyPairSync('ed25519').privateKey)

let graph: TestGraph
let database: Database
let folder: string
let blobs: BlobStore
let clock: TestClock
let tenant: TestTenant
let tenants = 0

beforeAll(async () => {
  cheapBcrypt()
  graph = await startGraph()
  const url = graph.database.urlFor('compliance')
  database = await openDatabase({ url, entities: [], connections: 6, applicationName: 'audit test' })
})

afterAll(async () => {
  await database?.close()
  await graph?.close()
})

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'audit-'))
  blobs = openBlobs({ s3: null, dataDir: folder })
  clock = new TestClock()
  tenant = await graph.tenant(`chained-${++tenants}`)
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

const query = async (text: string, values: unknown[] = []) =>
  (await graph.owner.query<Record<string, unknown>>(text, values)).rows

/** Writes entries of the tenant as they come from anywhere. */
async function write(count: number, at: Date | string = new Date(), changes = '{"after": {"name": "x"}}') {
  for (let place = 0; place < count; place++)
    await query(
      `INSERT INTO shared.audit_logs (tenant_id, occurred_at, id, actor_id, action, resource_type, resource_id, changes,
         ip_address, user_agent, request_id) VALUES ($1, $2, $3, $4, 'UPDATE', 'Thing', $5, $6, '10.0.0.1', 'agent "ü"', 'r')`,
      [tenant.id, at, uuidv7(), uuidv7(), `thing-${place}`, changes],
    )
}

const sealing = () => ({ database, blobs, keys, clock, log: createLogger(graph.config) })
const seal = (sign = true) => sealDue(sealing(), [tenant.id], { sign })

async function verify(): Promise<TenantReport> {
  const [report] = await verifyTenants({
    migratorUrl: graph.database.migratorUrl,
    blobs,
    keys,
    slug: tenant.slug,
  })
  return report!
}

const faults = async () => (await verify()).faults.map(({ kind, position }) => `${kind} ${position}`)
const change = (set: string, position: number) =>
  query(`UPDATE shared.audit_logs SET ${set} WHERE tenant_id = $1 AND position = $2`, [tenant.id, position])
const positions = async () =>
  (
    await query('SELECT position FROM shared.audit_logs WHERE tenant_id = $1 ORDER BY position', [tenant.id])
  ).map((row) => Number(row['position']))

/** Gives every entry the hash that it has now, as somebody does who owns the database and knows how. */
async function hashAnew(): Promise<void> {
  const { rows } = await graph.owner.query<unknown[]>({
    text: `SELECT id, to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), actor_id, action, resource_type,
        resource_id, changes::text, ip_address, user_agent, request_id FROM shared.audit_logs
      WHERE tenant_id = $1 AND position IS NOT NULL ORDER BY position`,
    values: [tenant.id],
    rowMode: 'array',
  })
  let hash = genesis
  for (const [place, row] of rows.entries()) {
    hash = sha256(linkText(hash, place + 1, entryOf(tenant.id, row)))
    await query('UPDATE shared.audit_logs SET position = $3, hash = $4 WHERE tenant_id = $1 AND id = $2', [
      tenant.id,
      row[0],
      place + 1,
      hash,
    ])
  }
  await query(
    'UPDATE shared.audit_chains SET position = $2, hash = $3, signed_position = least(signed_position, $2) WHERE tenant_id = $1',
    [tenant.id, rows.length, hash],
  )
}

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
    tenant = await graph.tenant(`chained-${++tenants}`)
    const admin = await tenant.as('ADMIN')
    await admin.data(
      'mutation { createHoliday(input: { name: "Audit day", day: "2026-05-05" }) { userErrors { code } } }',
    )
    await seal()
    const report = await verify()
    expect(report).toMatchObject({ faults: [], unsealed: 0 })
    expect(report.end).toBeGreaterThan(0)
    tenant = other
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
    expect(await faults()).toEqual(['CHECKPOINT 7'])
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

    test('were removed', async () => {
      rmSync(file(7))
      expect(await faults()).toEqual(['STATEMENT 8'])
    })

    test('were changed, or are signed by somebody else', async () => {
      const put = (line: string) =>
        blobs.of(tenant.id).put(`audit/checkpoints/${'8'.padStart(16, '0')}.json`, [Buffer.from(line)])
      const line = readFileSync(file(8), 'utf8').split('\n')[1]!
      await put(`${line.replace('\\"position\\":8', '\\"position\\":9')}\n`)
      expect((await verify()).faults.map(({ message }) => message)).toEqual([
        expect.stringContaining('its signature does not hold'),
      ])
      await put(`${line.replace(keys.kid!, 'x')}\n`)
      expect((await verify()).faults.map(({ message }) => message)).toEqual([
        expect.stringContaining('not accepted'),
      ])
      await put('nothing')
      expect((await verify()).faults.map(({ message }) => message)).toEqual([
        expect.stringContaining('no statement'),
      ])
      await put(`${line}\n`)
      expect(await faults()).toEqual([])
    })

    test('are another tenant’s', async () => {
      const text = readFileSync(file(8))
      tenant = await graph.tenant(`chained-${++tenants}`)
      await write(8)
      await seal()
      writeFileSync(file(8), text)
      expect((await verify()).faults.map(({ message }) => message)).toEqual([
        expect.stringContaining('another tenant'),
      ])
    })
  })
})

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

let exports = 0
async function exported(tamper: (at: string) => void = () => undefined) {
  const to = join(folder, `export-${++exports}`)
  const { migratorUrl } = graph.database
  await exportTenant({ migratorUrl, blobs, keys, slug: tenant.slug, now: clock.now() }, to)
  tamper(to)
  // Elsewhere, with nothing of ours: only its own folder.
  return run(process.execPath, [join(to, 'verify-export.mjs')], { cwd: tmpdir(), env: {} }).then(
    ({ stdout }) => ({ code: 0, output: stdout, to }),
    (error: { code: number; stdout: string }) => ({ code: error.code, output: error.stdout, to }),
  )
}

describe('an export', () => {
  const lines = (to: string, name = 'entries.jsonl') =>
    readFileSync(join(to, name), 'utf8').split('\n').filter(Boolean)
  const put = (to: string, all: string[], name = 'entries.jsonl') =>
    writeFileSync(join(to, name), `${all.join('\n')}\n`)

  beforeEach(async () => {
    await write(6)
    await seal()
    await write(2)
    await seal(false)
  })

  test('holds every sealed entry and is verified by itself', async () => {
    const { code, output, to } = await exported()
    expect(output).toBe('8 entries up to position 8, 2 checkpoints: everything holds\n')
    expect(code).toBe(0)
    expect(readdirSync(to).sort()).toEqual([
      'HOW-TO-VERIFY.md',
      'checkpoints.jsonl',
      'cuts.jsonl',
      'entries.jsonl',
      'keys.json',
      'verify-export.mjs',
    ])
    expect(JSON.parse(lines(to)[0]!)).toMatchObject({ position: 1, previous: genesis, tenantId: tenant.id })
    expect(readFileSync(join(to, 'keys.json'), 'utf8')).not.toContain('"d"')
    await expect(
      exportTenant(
        { migratorUrl: graph.database.migratorUrl, blobs, keys, slug: tenant.slug, now: clock.now() },
        to,
      ),
    ).rejects.toMatchObject({ code: 'EEXIST' })
  })

  test.each<[string, (to: string) => void, RegExp]>([
    [
      'one changed byte',
      (to) =>
        put(
          to,
          lines(to).map((line, at) => (at === 3 ? line.replace('thing-3', 'thing-4') : line)),
        ),
      /entry 4 was changed/,
    ],
    [
      'a changed first entry',
      (to) =>
        put(
          to,
          lines(to).map((line, at) => (at === 0 ? line.replace('thing-0', 'thing-4') : line)),
        ),
      /entry 1 was changed/,
    ],
    [
      'a changed last entry',
      (to) =>
        put(
          to,
          lines(to).map((line, at) => (at === 7 ? line.replace('thing-1', 'thing-4') : line)),
        ),
      /up to 8 is not the one/,
    ],
    [
      'one removed entry',
      (to) =>
        put(
          to,
          lines(to).filter((_, at) => at !== 3),
        ),
      /between entry 3 and entry 5/,
    ],
    [
      'two moved entries',
      (to) =>
        put(
          to,
          [0, 1, 2, 4, 3, 5, 6, 7].map((at) => lines(to)[at]!),
        ),
      /between entry 3 and entry 5/,
    ],
    ['removed last entries', (to) => put(to, lines(to).slice(0, 6)), /entries 7 to 8 are missing at the end/],
    [
      'a removed checkpoint',
      (to) => put(to, lines(to, 'checkpoints.jsonl').slice(1), 'checkpoints.jsonl'),
      /a checkpoint before the one at 8 is missing/,
    ],
    [
      'removed last entries with their checkpoint',
      (to) => {
        put(to, lines(to).slice(0, 7))
        put(to, lines(to, 'checkpoints.jsonl').slice(0, 1), 'checkpoints.jsonl')
      },
      /nobody has signed entries 7 to 7/,
    ],
    [
      'a changed checkpoint',
      (to) =>
        put(
          to,
          lines(to, 'checkpoints.jsonl').map((line) => line.replace(':8', ':7')),
          'checkpoints.jsonl',
        ),
      /not signed with one of the keys/,
    ],
    [
      'other keys',
      (to) =>
        put(
          to,
          [
            JSON.stringify({
              keys: [
                { ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: keys.kid },
              ],
            }),
          ],
          'keys.json',
        ),
      /is not the one that it is named after/,
    ],
  ])('tells of %s', async (_, tamper, message) => {
    const { code, output } = await exported(tamper)
    expect(output).toMatch(message)
    expect(code).toBe(1)
  })

  test('tells of what was changed in the table before', async () => {
    await change("action = 'VIEW'", 4)
    const { code, output } = await exported()
    expect(output).toMatch(/entry 4 was changed/)
    expect(code).toBe(1)
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
    const deadline = Date.now() + 20_000
    while ((await signed()) === 0 && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 20))
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
