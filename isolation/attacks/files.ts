import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportTenant } from '../../database/audit/export'
import { verifyTenants } from '../../database/audit/verify'
import type { TenantBlobs } from '../../kernel/blobs/blob-store'
import { checkedBlobs } from '../../kernel/blobs/checked'
import { s3Blobs } from '../../kernel/blobs/s3-blobs'
import { openDatabase } from '../../kernel/connection/database'
import { tenantScope } from '../../kernel/context'
import { loadAuditKeys } from '../../kernel/sealing/audit-keys'
import { sealDue } from '../../kernel/sealing/seal-due'
import { checkpointFolder } from '../../kernel/sealing/statements'
import type { Lab } from '../lab'
import { attacker, type AttackedTenant } from '../population'

const secretKey = 'isolation/secret.txt'

/**
 * Asks for a victim's file by every function of the store and every way to write its key that might lead out of the
 * attacker's own; and by its own key where the code of another tenant runs. Nothing is seen, and the file stays as it is.
 */
export async function attackFiles(lab: Lab, victims: readonly AttackedTenant[]): Promise<void> {
  const { blobs } = lab.server.services
  const own = blobs.of(attacker.id)
  for (const victim of victims) {
    const theirs = blobs.of(victim.id)
    const content = `only ${victim.slug} reads this`
    await theirs.put(secretKey, [Buffer.from(content)])
    if ((await textIn(theirs, secretKey)) === content) lab.coverage.shown('beside the graph', 'file')
    for (const key of waysTo(victim)) {
      const tried = `${JSON.stringify(key)} of ${victim.slug}`
      const text = await textIn(own, key).catch(() => null)
      if (text !== null) lab.found('file', tried, `is read: ${text}`)
      if (await own.info(key).catch(() => null)) lab.found('file', tried, 'is there')
      for (const prefix of [key, `${key}/`, key.slice(0, key.lastIndexOf('/') + 1)]) {
        const listed = await keysIn(own, prefix).catch((): string[] => [])
        // Without a prefix one's own files are listed, those among them that attacks wrote.
        const found = prefix === '' ? await withText(own, listed, content) : listed
        if (found.length > 0) lab.found('file', tried, 'is listed')
      }
      await own.delete(key).catch(() => undefined)
      await own.put(key, [Buffer.from('changed')]).catch(() => undefined)
      // What was written in the attacker's own place is no attack's success.
      if (key === secretKey) await own.delete(key)
    }
    await tenantScope.run(attacker.id, () =>
      textIn(theirs, secretKey).then(
        () => lab.found('file', victim.slug, 'is read by code that runs for another tenant'),
        () => undefined,
      ),
    )
    if ((await textIn(theirs, secretKey)) !== content) lab.found('file', victim.slug, 'was changed')
    await attackAddresses(lab, victim)
    await theirs.delete(secretKey)
  }
  lab.coverage.attacked('beside the graph', 'file')
}

/** The key of a victim's file as one's own, and as something that leads there from one's own. */
function waysTo({ id }: AttackedTenant): string[] {
  const theirs = `${id}/${secretKey}`
  return [
    secretKey,
    theirs,
    `../${theirs}`,
    `a/../../${theirs}`,
    `./../${theirs}`,
    `..//${theirs}`,
    `/${theirs}`,
    `..\\${theirs.replaceAll('/', '\\')}`,
    `..%2f${theirs}`,
    `%2e%2e/${theirs}`,
    `../${id.toUpperCase()}/${secretKey}`,
    `..\u2215${theirs}`,
    `../${theirs}\0`,
    `../${theirs}@`,
  ]
}

/** An address names its file under its signature: a path in it, or a signature of another's, is the attacker's own. */
async function attackAddresses(lab: Lab, victim: AttackedTenant): Promise<void> {
  const keys = { region: 'eu-central-1', accessKeyId: 'ISOLATION', secretAccessKey: 'isolation' }
  const store = checkedBlobs(s3Blobs({ url: 'https://files.example/bucket', ...keys }))
  const options = { seconds: 60, fileName: 'file' }
  const path = (url: string | null) => new URL(url!).pathname
  const theirs = path(await store.of(victim.id).downloadUrl(secretKey, options))
  for (const key of waysTo(victim)) {
    const url = await store
      .of(attacker.id)
      .downloadUrl(key, options)
      .catch(() => null)
    if (url && (path(url) === theirs || !path(url).startsWith(`/bucket/${attacker.id}/`)))
      lab.found('file', key, `has the address ${url}`)
  }
}

async function textIn(blobs: TenantBlobs, key: string): Promise<string | null> {
  const file = await blobs.get(key)
  if (!file) return null
  const chunks: Buffer[] = []
  for await (const chunk of file.body) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

/** Returns those of the keys whose files hold a text. */
async function withText(blobs: TenantBlobs, keys: readonly string[], text: string): Promise<string[]> {
  const found: string[] = []
  for (const key of keys) if ((await textIn(blobs, key)) === text) found.push(key)
  return found
}

async function keysIn(blobs: TenantBlobs, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const key of blobs.list(prefix)) keys.push(key)
  return keys
}

/**
 * Seals the trails, exports the attacker's for an auditor and verifies it: the export holds no entry and no statement of
 * another's, and a victim's checkpoint among the attacker's is noticed.
 */
export async function attackExport(lab: Lab, victims: readonly AttackedTenant[]): Promise<void> {
  const { blobs, clock, config, log } = lab.server.services
  const keys = loadAuditKeys(config)
  const database = await openDatabase({
    url: lab.stage.urlFor('compliance'),
    entities: [],
    connections: 3,
    applicationName: 'isolation audit',
  })
  const folder = mkdtempSync(join(tmpdir(), 'isolation-audit-'))
  const { migratorUrl } = lab.stage
  const found = (what: string) => lab.found('audit export', 'audit export', what)
  try {
    const tenants = [attacker, ...victims]
    const ids = tenants.map(({ id }) => id)
    await sealDue({ database, blobs, keys, clock, log }, ids, { sign: true })
    lab.coverage.attacked('beside the graph', 'audit export')
    for (const tenant of tenants) {
      const target = join(folder, tenant.slug)
      const options = { migratorUrl, blobs, keys, slug: tenant.slug, now: clock.now() }
      const { entries } = await exportTenant(options, target)
      if (tenant !== attacker) {
        if (entries > 0) lab.coverage.shown('beside the graph', 'audit export')
        continue
      }
      const lines = linesIn(target)
      lab.witness.see(attacker, 'audit export', lines)
      for (const { id, slug } of victims) if (lines.some((line) => line.includes(id))) found(`names ${slug}`)
    }
    const verify = async () =>
      (await verifyTenants({ migratorUrl, blobs, keys, slug: attacker.slug })).flatMap(({ faults }) => faults)
    const before = await verify()
    for (const victim of victims) {
      const [mine] = await keysIn(blobs.of(attacker.id), checkpointFolder)
      const [theirs] = await keysIn(blobs.of(victim.id), checkpointFolder)
      const kept = await textIn(blobs.of(attacker.id), mine!)
      const foreign = await textIn(blobs.of(victim.id), theirs!)
      await blobs.of(attacker.id).put(mine!, [Buffer.from(foreign!)])
      if ((await verify()).length <= before.length)
        found(`a checkpoint of ${victim.slug} counts as the attacker's`)
      await blobs.of(attacker.id).put(mine!, [Buffer.from(kept!)])
    }
  } finally {
    await database.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

const linesIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
