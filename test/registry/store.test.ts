import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { databaseStore } from '../../registry/versions/database-store'
import { Fault } from '../../registry/fault'
import { folderStore } from '../../registry/versions/folder-store'
import { contentHash, type RegistryStore } from '../../registry/versions/store'
import {
  current,
  find,
  publish,
  rollback,
  verified,
  type Publication,
} from '../../registry/versions/versions'
import { openDatabase } from '../../kernel/connection/database'
import { freshDatabase, type TestDatabase } from '../support/postgres'

const publication = (supergraph: string, more: Partial<Publication> = {}): Publication => ({
  variant: 'main',
  supergraph,
  author: 'Ada',
  commit: 'abc',
  note: null,
  checkPassed: true,
  changes: [
    {
      code: 'FIELD_ADDED',
      severity: 'safe',
      coordinate: 'User.fax',
      message: 'User.fax was added',
      affects: [],
    },
  ],
  contracts: [{ name: 'public', include: ['public'], exclude: [] }],
  at: '2026-11-20T10:00:00.000Z',
  ...more,
})

let database: TestDatabase | undefined
const folders: string[] = []
afterAll(async () => {
  await database?.drop()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'registry-'))
  folders.push(made)
  return made
}

const stores: [string, () => Promise<RegistryStore>][] = [
  ['a folder', async () => folderStore(folder())],
  [
    'PostgreSQL',
    async () => {
      await database?.drop()
      database = await freshDatabase()
      return databaseStore(
        await openDatabase({
          url: database.urlFor('gateway'),
          entities: [],
          connections: 2,
          applicationName: 'test',
        }),
      )
    },
  ],
]

describe.each(stores)('versions in %s', (_name, open) => {
  let store: RegistryStore
  beforeEach(async () => {
    store = await open()
  })
  afterEach(() => store.close())

  it('has nothing at first', async () => {
    expect(await current(store, 'main')).toBeNull()
    expect(await store.variants()).toEqual([])
    expect(await store.supergraph(contentHash('a'))).toBeNull()
  })

  it('gives back what was published, with its history', async () => {
    await publish(store, publication('one'))
    await publish(store, publication('two', { note: 'second' }))
    await publish(store, publication('other', { variant: 'next' }))
    const found = await current(store, 'main')
    expect(found?.supergraph).toBe('two')
    expect(found?.version).toMatchObject({
      version: 2,
      author: 'Ada',
      commit: 'abc',
      note: 'second',
      rollbackOf: null,
    })
    expect(found?.version.changes).toEqual([
      expect.objectContaining({
        code: 'FIELD_ADDED',
        coordinate: 'User.fax',
        hash: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      }),
    ])
    expect((await find(store, 'main', 1))?.supergraph).toBe('one')
    expect((await verified(store, 'main')).map(({ version }) => version)).toEqual([1, 2])
    expect(await store.variants()).toEqual(['main', 'next'])
  })

  it('adds nothing when the schema is the current one', async () => {
    await publish(store, publication('one'))
    expect((await publish(store, publication('one'))).added).toBe(false)
    expect(await store.history('main')).toHaveLength(1)
  })

  it('rolls back by adding a version', async () => {
    await publish(store, publication('one'))
    await publish(store, publication('two'))
    const by = {
      author: 'Bob',
      note: 'broken',
      commit: null,
      at: '2026-11-21T10:00:00.000Z',
      checkPassed: true,
      changes: [],
    }
    expect(await rollback(store, 'main', 1, by)).toMatchObject({ version: 3, rollbackOf: 1, author: 'Bob' })
    expect((await current(store, 'main'))?.supergraph).toBe('one')
    expect((await verified(store, 'main')).map(({ rollbackOf }) => rollbackOf)).toEqual([null, null, 1])
    await expect(rollback(store, 'main', 1, by)).rejects.toThrow('current already')
    await expect(rollback(store, 'main', 9, by)).rejects.toThrow(Fault)
  })

  it('refuses a version that somebody else published meanwhile', async () => {
    await publish(store, publication('one'))
    const { version } = await publish(store, publication('two'))
    await expect(store.append({ ...version, supergraph: contentHash('three') }, 'three')).rejects.toThrow(
      'published meanwhile',
    )
    expect(await verified(store, 'main')).toHaveLength(2)
    expect((await current(store, 'main'))?.supergraph).toBe('two')
  })

  it('refuses names that could leave their place', async () => {
    await expect(publish(store, publication('one', { variant: '../main' }))).rejects.toThrow(
      'no name for a variant',
    )
  })
})

describe('a history that was changed', () => {
  it('is noticed in a version, in a text, and where one is missing', async () => {
    const place = folder()
    const store = folderStore(place)
    for (const text of ['one', 'two', 'three']) await publish(store, publication(text))
    const second = join(place, 'main', '0002.json')
    const original = readFileSync(second, 'utf8')

    writeFileSync(second, original.replace('Ada', 'Eve'))
    await expect(verified(store, 'main')).rejects.toThrow('changed at version 2')
    rmSync(second)
    await expect(verified(store, 'main')).rejects.toThrow('was changed')
    writeFileSync(second, original)
    expect(await verified(store, 'main')).toHaveLength(3)

    writeFileSync(join(place, 'supergraphs', `${contentHash('three')}.graphql`), 'four')
    await expect(current(store, 'main')).rejects.toThrow('is not the one that was published')
  })

  it('cannot be made in the database by the role that publishes', async () => {
    const made = await freshDatabase()
    const opened = await openDatabase({
      url: made.urlFor('gateway'),
      entities: [],
      connections: 1,
      applicationName: 'test',
    })
    await publish(databaseStore(opened), publication('one'))
    for (const text of [
      `UPDATE gateway.schema_versions SET entry = '{}'`,
      'DELETE FROM gateway.schema_versions',
      `UPDATE gateway.supergraphs SET sdl = 'two'`,
      'DELETE FROM gateway.supergraphs',
    ]) {
      await expect(opened.rows({ tenantId: null }, { text })).rejects.toMatchObject({ code: '42501' })
    }
    expect((await current(databaseStore(opened), 'main'))?.supergraph).toBe('one')
    await opened.close()
    await made.drop()
  })
})
