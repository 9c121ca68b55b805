import { Client } from 'pg'
import { holdSingleInstance } from '../../gateway/single-instance'
import { freshDatabase, type TestDatabase } from '../support/postgres'
import { memoryLog } from './fixtures/start'

const applicationName = 'gateway single instance'
let database: TestDatabase
let superuser: Client

beforeAll(async () => {
  database = await freshDatabase()
  superuser = new Client({ connectionString: database.superuserUrl })
  await superuser.connect()
})
afterAll(async () => {
  await superuser.end()
  await database.drop()
})

/** Patient enough for a slow machine, unless the test is about who gives up. */
function hold(
  onLost: (error: Error) => void = () => undefined,
  patienceMs = 60_000,
): Promise<() => Promise<void>> {
  return holdSingleInstance({ url: database.urlFor('gateway'), log: memoryLog().log, onLost, patienceMs })
}

it('lets one gateway in, refuses the second, and says what to do', async () => {
  const release = await hold()
  await expect(hold(undefined, 300)).rejects.toThrow(
    'Another gateway already serves this database. Set REDIS_URL for both',
  )
  await release()
  const next = await hold()
  await next()
})

it('waits a moment for a gateway that is just going', async () => {
  const release = await hold()
  const next = hold()
  await release()
  await (
    await next
  )()
})

it('takes the claim again after its connection broke', async () => {
  const lost = jest.fn()
  const release = await hold(lost)
  await endConnections()
  await expect(claimed()).resolves.toBe(true)
  await release()
  expect(lost).not.toHaveBeenCalled()
  await expect(claimed({ expected: false })).resolves.toBe(false)
})

it('gives up when another gateway took over meanwhile', async () => {
  let release: (() => Promise<void>) | undefined
  const error = new Promise<Error>((resolve) => void hold(resolve, 300).then((done) => (release = done)))
  await expect(claimed()).resolves.toBe(true)
  // The lock is taken by whoever asks first once the holder's connection is gone.
  const other = new Client({ connectionString: database.urlFor('gateway') })
  await other.connect()
  const taken = other.query('SELECT pg_advisory_lock($1, $2)', [0x74656e61, 0x6e740001])
  await endConnections()
  await taken
  expect((await error).message).toContain('Another gateway already serves this database')
  await other.end()
  await release?.()
})

/** Breaks the connections that hold or want the claim. */
async function endConnections(): Promise<void> {
  await superuser.query(
    'SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()',
    [applicationName],
  )
}

/** Whether somebody holds the claim, once it is as expected or a minute is over. */
async function claimed({ expected = true } = {}): Promise<boolean> {
  for (let attempt = 0; ; attempt++) {
    const { rows } = await superuser.query<{ held: boolean }>(
      `SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
        WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()) AS held`,
    )
    const held = rows[0]?.held ?? false
    if (held === expected || attempt > 1_200) return held
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
