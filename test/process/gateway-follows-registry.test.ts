import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { folderStore } from '../../registry/versions/folder-store'
import { publish, rollback } from '../../registry/versions/versions'
import { runChild } from '../gateway/fixtures/child'
import { serveForeign } from '../gateway/fixtures/serve'
import { client } from '../gateway/fixtures/start'
import { fixtureNames, fixtureState, fixtureSupergraph, runFixtures } from '../gateway/fixtures/subgraphs'

test('npm run gateway -- --registry serves what is published, while it runs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'registry-'))
  const store = folderStore(folder)
  const running = runFixtures(fixtureState())
  const servers = await Promise.all(
    fixtureNames.map(async (name) => [name, await serveForeign(running[name], () => undefined)] as const),
  )
  const urls = Object.fromEntries(servers.map(([name, { url }]) => [name, url]))
  const by = { author: 'Ada', commit: null, note: null, at: '2026-11-20T10:00:00.000Z' }
  const first = fixtureSupergraph((name) => urls[name])
  const put = (supergraph: string) =>
    publish(store, { ...by, variant: 'main', supergraph, checkPassed: null, changes: [], contracts: [] })

  const without = runChild('scripts/gateway.ts', [
    '--registry',
    folder,
    '--subgraphs-enforce-access',
    '--port',
    '0',
  ])
  expect(await without.exit).toBe(1)
  expect(without.stderr()).toContain('has no version of main')

  await put(first)
  const child = runChild('scripts/gateway.ts', [
    '--registry',
    folder,
    '--subgraphs-enforce-access',
    '--port',
    '0',
    '--poll',
    '20',
  ])
  const { ask } = client((await child.printed(/ready (\S+)/))[1]!)
  const friends = async () =>
    (await ask('{ user(id: "1") { friends { name } } }')).body.errors ? 'refused' : 'answered'
  const until = async (state: string) => {
    while ((await friends()) !== state) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect(await friends()).toBe('answered')
  await put(first.replace(/ {2}friends: \[User!\]!.*\n/, ''))
  await until('refused')
  await put('this is no supergraph')
  await child.printed(/supergraph not loaded, the last one stays/)
  expect(await friends()).toBe('refused')
  await rollback(store, 'main', 1, { ...by, checkPassed: true, changes: [] })
  await until('answered')

  child.process.kill('SIGTERM')
  expect(await child.exit).toBe(0)
  await Promise.all(servers.map(([, server]) => server.close()))
  rmSync(folder, { recursive: true })
})
