import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { asOwner, migrateDown, migrateUp, migrationStates } from '../../database/migrate'
import { writeMigration } from '../../database/new-migration'
import { migrations, readMigrations } from '../../migrations'
import { migration, sql } from '../../migrations/sql'
import { freshDatabase, type TestDatabase } from '../support/postgres'

let database: TestDatabase
beforeEach(async () => {
  database = await freshDatabase({ empty: true })
})
afterEach(() => database.drop())

async function query<T extends object>(text: string): Promise<T[]> {
  const client = new Client({ connectionString: database.migratorUrl })
  await client.connect()
  try {
    return (await client.query<T>(text)).rows
  } finally {
    await client.end()
  }
}

/**
 * Everything in the database that a migration can make, one line each, scopes among it. Partitions depend on the day, their parents do
 * not. Columns that the look-up role may read can serve several functions, so they stay; without the policy that comes
 * and goes with each function they show no row.
 */
async function catalogue(): Promise<string[]> {
  const rows = await query<{ line: string }>(`
    WITH own AS (SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema|migrations)'),
    tables AS (SELECT c.* FROM pg_class c JOIN own ON own.oid = relnamespace WHERE NOT relispartition)
    SELECT format('schema %s %s', nspname, (SELECT nspacl FROM pg_namespace n WHERE n.oid = own.oid)) AS line FROM own
    UNION ALL SELECT format('relation %s %s %s %s %s', oid::regclass, relkind, relacl, relrowsecurity, relforcerowsecurity) FROM tables
    UNION ALL SELECT format('column %s %s %s %s %s %s', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull,
        (SELECT array_agg(item ORDER BY item::text) FROM unnest(attacl) AS item WHERE item::text NOT LIKE 'app_lookup=%'),
        (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum))
      FROM pg_attribute JOIN tables ON tables.oid = attrelid WHERE attnum > 0 AND NOT attisdropped
    UNION ALL SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(c.oid))
      FROM pg_constraint c JOIN tables ON tables.oid = conrelid
    UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN tables ON tables.oid = indrelid
    UNION ALL SELECT format('policy %s %s %s %s %s', polrelid::regclass, polname, polroles::regrole[], pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
      FROM pg_policy JOIN tables ON tables.oid = polrelid
    UNION ALL SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN tables ON tables.oid = tgrelid WHERE NOT tgisinternal
    UNION ALL SELECT format('%s %s %s', pg_get_functiondef(p.oid), proowner::regrole, proacl) FROM pg_proc p JOIN own ON own.oid = pronamespace
    UNION ALL SELECT format('default rights %s %s', defaclobjtype, defaclacl) FROM pg_default_acl`)
  return [...rows.map((row) => row.line), ...(await scopes())].sort()
}

/** The scopes that there are, with the system roles that hold them. */
async function scopes(): Promise<string[]> {
  const [known] = await query<{ table: string | null }>("SELECT to_regclass('identity.permissions') AS table")
  if (!known!.table) return []
  const rows = await query<{ line: string }>(
    "SELECT format('scope %s %s %s', name, description, system_roles) AS line FROM identity.permissions",
  )
  return rows.map((row) => row.line)
}

test('each migration alone can be taken back, and all together leave nothing', async () => {
  const made = [await catalogue()]
  const names: string[] = []
  for (let count = 1; count <= migrations.length; count += 1) {
    names.push(...(await migrateUp(database.migratorUrl, migrations.slice(0, count))))
    expect(names).toHaveLength(count)
    made.push(await catalogue())
    expect(made[count]).not.toEqual(made[count - 1])
  }
  for (let count = migrations.length; count > 0; count -= 1) {
    expect(await catalogue()).toEqual(made[count])
    expect(await migrateDown(database.migratorUrl)).toBe(names[count - 1])
  }
  expect(await migrateDown(database.migratorUrl)).toBeNull()
  expect(await catalogue()).toEqual(made[0])

  expect(await migrateUp(database.migratorUrl)).toEqual(names)
  expect(await catalogue()).toEqual(made[migrations.length])
})

test('two migrators at once: one applies, the other waits and finds nothing to do', async () => {
  const applied = await Promise.all([migrateUp(database.migratorUrl), migrateUp(database.migratorUrl)])
  expect(applied.map((names) => names.length).sort((a, b) => a - b)).toEqual([0, migrations.length])
})

test('a migration that fails leaves nothing, and those before it stay', async () => {
  const good = migration(1, 'good', [sql('CREATE SCHEMA good', 'DROP SCHEMA good')])
  const bad = migration(2, 'bad', [
    sql(['CREATE SCHEMA half', 'SELECT no_such_function()'], 'DROP SCHEMA half'),
  ])
  await expect(migrateUp(database.migratorUrl, [good, bad])).rejects.toThrow('no_such_function')
  expect(await query(`SELECT nspname FROM pg_namespace WHERE nspname IN ('good', 'half')`)).toEqual([
    { nspname: 'good' },
  ])
  expect(await migrationStates(database.migratorUrl, [good, bad])).toEqual([
    { name: 'good-0000000000001', applied: true },
    { name: 'bad-0000000000002', applied: false },
  ])
})

test('everything belongs to the owner, and application roles cannot see what was applied', async () => {
  await migrateUp(database.migratorUrl)
  expect(
    await query(`SELECT DISTINCT pg_get_userbyid(relowner) AS owner FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
    WHERE nspname IN ('migrations', 'shared', 'tenancy', 'identity')`),
  ).toEqual([{ owner: 'app_owner' }])
  const client = new Client({ connectionString: database.urlFor('hr') })
  await client.connect()
  await expect(client.query('SELECT * FROM migrations.applied')).rejects.toMatchObject({ code: '42501' })
  await client.end()
})

test("the owner's role is added to whatever the URL says already, once", () => {
  const url = asOwner('postgres://m:a%2Bb+c@db.example/app?sslmode=require&options=-c%20lock_timeout%3D5s')
  expect(url).toMatch(/^postgres:\/\/m:a%2Bb\+c@db\.example\/app\?/)
  expect(new URL(url).searchParams.get('sslmode')).toBe('require')
  expect(new URL(url).searchParams.get('options')).toBe('-c lock_timeout=5s -c role=app_owner')
  expect(asOwner(url)).toBe(url)
})

describe('the folder', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tenantgraph-migrations-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const namesIn = () => readMigrations(folder).map((made) => new made().name)
  /** A file that exports what `migration()` would make. */
  function put(file: string, name: string): void {
    const made = `exports.made = class { name = '${name}'; async up() {} async down() {} }`
    writeFileSync(join(folder, file), made)
  }

  test('is read by number: baselines first, then what came later', () => {
    put('202611281030-later.js', 'later-0202611281030')
    put('0024-second.js', 'second-0000000000024')
    put('202611271030-sooner.js', 'sooner-0202611271030')
    put('0003-first.js', 'first-0000000000003')
    put('0024-among-equals.js', 'among-equals-0000000000024')
    for (const other of ['sql.js', 'first.txt', '12-short.js', '0004-types.d.ts', '0005-map.js.map'])
      writeFileSync(join(folder, other), 'not read')
    expect(namesIn()).toEqual([
      'first-0000000000003',
      'among-equals-0000000000024',
      'second-0000000000024',
      'sooner-0202611271030',
      'later-0202611281030',
    ])
  })

  test.each([
    ['another number', '0003-first.js', 'first-0000000000004'],
    ['another name', '202611281030-first.js', 'second-0202611281030'],
  ])('with a file that exports %s is refused', (_, file, name) => {
    put(file, name)
    expect(namesIn).toThrow(
      `migrations/${file.slice(0, -3)} must export one migration with the number and the name`,
    )
  })

  test('with a file that exports none or two is refused', () => {
    writeFileSync(join(folder, '0003-first.js'), '')
    expect(namesIn).toThrow('must export one migration')
    writeFileSync(join(folder, '0003-first.js'), 'exports.a = class {}; exports.b = class {}')
    expect(namesIn).toThrow('must export one migration')
  })

  const noon = new Date('2026-11-28T12:00:59.999Z')

  test('gets a new one, empty, named by the time', () => {
    writeFileSync(join(folder, '0041-latest.ts'), '')
    expect(writeMigration(folder, 'add-budgets', noon)).toBe('202611281200-add-budgets.ts')
    expect(readFileSync(join(folder, '202611281200-add-budgets.ts'), 'utf8')).toContain(
      `export const addBudgets = migration(202611281200, 'add-budgets', [`,
    )
  })

  test('gets a new one behind the latest, whatever the clock says', () => {
    writeFileSync(join(folder, '202611281200-first.ts'), '')
    expect(writeMigration(folder, 'second', noon)).toBe('202611281201-second.ts')
    writeFileSync(join(folder, '202612312359-third.ts'), '')
    expect(writeMigration(folder, 'fourth', noon)).toBe('202701010000-fourth.ts')
  })

  test('gets none under another form of name', () => {
    expect(() => writeMigration(folder, '../Evil')).toThrow('lower case with hyphens')
    expect(readdirSync(folder)).toEqual([])
  })
})
