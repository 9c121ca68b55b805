import { generateKeyPairSync } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exportTenant } from '../../database/audit/export'
import { genesis } from '../../kernel/sealing/chain'
import { blobs, change, clock, exported, graph, keepTrails, keys, seal, tenant, write } from './trail'

keepTrails()

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
          lines(to).map((line, at) => (at === 3 ? line.replace(/thing-\d/, 'thing-9') : line)),
        ),
      /entry 4 was changed/,
    ],
    [
      'a changed first entry',
      (to) =>
        put(
          to,
          lines(to).map((line, at) => (at === 0 ? line.replace(/thing-\d/, 'thing-9') : line)),
        ),
      /entry 1 was changed/,
    ],
    [
      'a changed last entry',
      (to) =>
        put(
          to,
          lines(to).map((line, at) => (at === 7 ? line.replace(/thing-\d/, 'thing-9') : line)),
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
