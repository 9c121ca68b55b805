import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportTenant, type TenantExport } from '../../product/tenant-export'
import { subgraphs } from '../../subgraphs'
import { demoTenantIds } from '../../database/demo/ids'
import { startGraph, type TestGraph } from '../support/graph'

/** Issues 14 and 17: all of a tenant is exported by what the schema says of its types, and nothing of another's. */
let graph: TestGraph
const into = mkdtempSync(join(tmpdir(), 'export-'))
const { acme, globex } = demoTenantIds

beforeAll(async () => {
  graph = await startGraph({ demo: true })
})
afterAll(async () => {
  await graph?.close()
  rmSync(into, { recursive: true, force: true })
})

const write = (slug: string, folder: string) =>
  exportTenant(
    {
      database: graph.database,
      dataKeys: graph.server.services.dataKeys,
      blobs: graph.server.services.blobs,
      slug,
      now: new Date('2026-11-29T10:00:00Z'),
    },
    join(into, folder),
  )
const walk = (folder: string): string[] =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? walk(path) : [path]
  })

test('every type of every subgraph, with all its rows and values in clear, and the files; digests tell each', async () => {
  const content = Buffer.from('a logo of acme')
  await graph.server.services.blobs.of(acme).put('logos/a', [content])
  await graph.server.services.blobs.of(globex).put('logos/g', [Buffer.from('a logo of globex')])
  const { manifest, ...told } = await write('acme', 'whole')
  const folder = join(into, 'whole')
  const text = readFileSync(join(folder, 'manifest.json'))
  expect(createHash('sha256').update(text).digest('hex')).toBe(manifest)
  expect(JSON.parse(text.toString()) as TenantExport).toEqual(told)
  expect([told.tenant.id, told.at]).toEqual([acme, '2026-11-29T10:00:00.000Z'])
  for (const { path, sha256, bytes } of [...told.types, ...told.files]) {
    const file = readFileSync(join(folder, path))
    expect([path, file.length, createHash('sha256').update(file).digest('hex')]).toEqual([
      path,
      bytes,
      sha256,
    ])
  }
  expect(told.files.map(({ path }) => path)).toContain('files/logos/a')
  expect(readFileSync(join(folder, 'files/logos/a'))).toEqual(content)

  // By the catalogue: as many rows as the tables have of the tenant, of every entity that is a tenant's.
  const names = new Set(subgraphs.flatMap(({ entities }) => entities.map(({ name }) => name)))
  const global = ['Country', 'Industry', 'Permission', 'Plan', 'PlanPrice', 'Operator', 'PlatformTenant']
  const known = told.types.map(({ type }) => type)
  expect([...names].filter((name) => !known.includes(name) && !global.includes(name))).toEqual([])
  for (const [type, table] of [
    ['Customer', 'insights.customers'],
    ['AuditLog', 'shared.audit_logs'],
    ['Employee', 'hr.employees'],
    ['Transaction', 'finance.transactions'],
  ]) {
    const { rows } = await graph.owner.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM ${table} WHERE tenant_id = $1`,
      [acme],
    )
    expect(rows[0]!.count).toBeGreaterThan(0)
    expect([type, told.types.find((one) => one.type === type)!.rows]).toEqual([type, rows[0]!.count])
  }
})

test('nothing of another tenant, no value that no field shows, and nothing encrypted stands in it', async () => {
  await write('globex', 'other')
  const folder = join(into, 'other')
  const { rows } = await graph.owner.query<{ hash: string }>(
    'SELECT password_hash AS hash FROM identity.users WHERE tenant_id = $1 AND password_hash IS NOT NULL',
    [globex],
  )
  const secrets = rows.map(({ hash }) => hash)
  expect(secrets.length).toBeGreaterThan(0)
  for (const path of walk(folder)) {
    const text = readFileSync(path, 'utf8')
    expect([path, text.includes(acme), text.includes('enc1:')]).toEqual([path, false, false])
    expect([path, secrets.filter((hash) => text.includes(hash))]).toEqual([path, []])
    expect(statSync(path).mode & 0o077).toBe(0)
  }
  const named = await graph.owner.query<{ name: string }>(
    'SELECT subject_name AS name FROM compliance.compliance_records WHERE tenant_id = $1 AND subject_name IS NOT NULL',
    [globex],
  )
  expect(named.rows.every(({ name }) => name.startsWith('enc1:'))).toBe(true)
  const records = readFileSync(join(folder, 'compliance/ComplianceRecord.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
  const names = records.flatMap(
    (line) => (JSON.parse(line) as { subjectName: string | null }).subjectName ?? [],
  )
  expect(names.length).toBe(named.rows.length)
  expect(names.length).toBeGreaterThan(0)
})

test('an unknown tenant and a folder that is there are refused, and leave what was there', async () => {
  await expect(write('nobody', 'none')).rejects.toThrow(
    'There is no tenant nobody: see npm run tenant -- list',
  )
  expect(existsSync(join(into, 'none'))).toBe(false)
  await write('globex', 'twice')
  const before = readFileSync(join(into, 'twice', 'manifest.json'), 'utf8')
  await expect(write('acme', 'twice')).rejects.toThrow('is there already: an export never overwrites one.')
  expect(readFileSync(join(into, 'twice', 'manifest.json'), 'utf8')).toBe(before)
})
