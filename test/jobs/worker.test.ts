import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase, type Database } from '../../kernel/connection/database'
import { badUserInput } from '../../kernel/errors'
import { uuidv7 } from '../../kernel/id'
import { enqueue, type Job, type JobControl } from '../../kernel/jobs'
import { declareJobs } from '../../kernel/jobs/job'
import { jobWorker, type Worker, type WorkerOptions } from '../../kernel/jobs/worker'
import { change, userErrors } from '../support/lists'
import { startGraph, TestClock, type TestClient, type TestGraph, type TestTenant } from '../support/graph'

/**
 * Issue 13, jobs: a piece of work has one effect, under its tenant's wall, whatever happens to who does it. The effect in
 * these tests is a row of the audit trail, which would stand there twice.
 */
let graph: TestGraph
let database: Database
let acme: TestTenant
let globex: TestTenant
let admin: TestClient
const workers: Worker[] = []
/** Moved for workers alone: whoever is signed in stays so. */
const clock = new TestClock()

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  globex = await graph.tenant('globex')
  admin = await acme.as('ADMIN')
  const url = graph.database.urlFor('hr')
  database = await openDatabase({ url, entities: [], connections: 8, applicationName: 'jobs' })
})
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()))
  await graph.owner.query('DELETE FROM shared.jobs')
  await graph.owner.query('DELETE FROM shared.platform_jobs')
})
afterAll(async () => {
  await database?.close()
  await graph?.close()
})

const worker = (jobs: readonly Job[], options: WorkerOptions = {}): Worker => {
  const made = jobWorker(
    'hr',
    jobs,
    database,
    { ...graph.server.services, clock },
    { random: () => 0, ...options },
  )
  workers.push(made)
  return made
}

type Named = { effect: string }

/** A job whose effect is a row named in its payload, after whatever else it does. */
function job(
  name: string,
  before: (control: JobControl, payload: Named) => Promise<unknown> = async () => undefined,
  rest: Partial<Job<Named>> = {},
): Job<Named> {
  return {
    name,
    ...rest,
    async run(_context, tx, payload, control) {
      tx.audit({ action: 'CREATE', resourceType: 'Test', resourceId: payload.effect, changes: {} })
      await before(control, payload)
    },
  }
}

/** Asks for the job as a mutation does. */
const ask = (tenant: TestTenant, wanted: Job<Named>, effect: string, options: { key?: string } = {}) => {
  const binding = { tenantId: tenant.id, actorId: tenant === acme ? admin.userId : null }
  const context = { binding, clock }
  declareJobs('hr', [wanted])
  return database.transaction(binding, (tx) => enqueue(context, tx, wanted, { effect }, options))
}

const effects = async (start: string): Promise<string[]> =>
  (
    await graph.owner.query<{ id: string }>(
      `SELECT resource_id AS id FROM shared.audit_logs WHERE resource_type = 'Test' AND resource_id LIKE $1 ORDER BY 1`,
      [`${start}%`],
    )
  ).rows.map(({ id }) => id)

const row = async (id: string) =>
  (
    await graph.owner.query<Record<string, unknown>>(
      'SELECT state, attempts, fault, due_at, ended_at, steps_done, steps_total FROM shared.jobs WHERE id = $1',
      [id],
    )
  ).rows[0]!

/** A promise that is kept from outside. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open: () => open() }
}

test('two workers do each of many jobs once, each with its tenant’s name', async () => {
  const work = job('many')
  const [one, two] = [worker([work], { slots: 4 }), worker([work], { slots: 4 })]
  const asked = [acme, globex].flatMap((tenant) =>
    Array.from({ length: 20 }, (_, place) => [tenant, `many-${tenant.slug}-${place}`] as const),
  )
  for (const [tenant, effect] of asked) await ask(tenant, work, effect)
  await Promise.all([one.runDue(), two.runDue()])
  expect(await effects('many-')).toEqual(asked.map(([, effect]) => effect).sort())
  const { rows } = await graph.owner.query(
    `SELECT t.slug, count(*)::int AS rows, bool_and(a.request_id LIKE 'job %') AS named
       FROM shared.audit_logs a JOIN tenancy.tenants t ON t.id = a.tenant_id
      WHERE a.resource_id LIKE 'many-' || t.slug || '-%' GROUP BY 1 ORDER BY 1`,
  )
  expect(rows).toEqual([
    { slug: 'acme', rows: 20, named: true },
    { slug: 'globex', rows: 20, named: true },
  ])
})

test('a key is one piece of work, also when it was done', async () => {
  const work = job('keyed')
  const doer = worker([work])
  const id = await ask(acme, work, 'keyed-1', { key: 'the same' })
  expect(await ask(acme, work, 'keyed-2', { key: 'the same' })).toBe(id)
  await doer.runDue()
  expect(await ask(acme, work, 'keyed-3', { key: 'the same' })).toBe(id)
  const others = await ask(globex, work, 'keyed-4', { key: 'the same' })
  expect(others).not.toBe(id)
  await doer.runDue()
  expect(await effects('keyed-')).toEqual(['keyed-1', 'keyed-4'])
})

test('what fails is tried again, later each time, keeps nothing, and says why it failed', async () => {
  let tries = 0
  const work = job(
    'failing',
    () => (tries++, Promise.reject(badUserInput('There is no such file as the one of zoe@acme.example'))),
    {
      attempts: 3,
    },
  )
  const doer = worker([work])
  const id = await ask(acme, work, 'failing-1')
  const delays: number[] = []
  for (const [seconds, left] of [
    [1, 2],
    [2, 1],
  ] as const) {
    const before = clock.now().getTime()
    await doer.runDue()
    const { state, attempts, due_at: due, fault } = await row(id)
    expect({ state, attempts, fault }).toEqual({
      state: 'WAITING',
      attempts: 3 - left,
      fault: 'BAD_USER_INPUT: the log of the product tells more by the id of this job',
    })
    delays.push(Math.round(((due as Date).getTime() - before) / 1000))
    await doer.runDue()
    expect(tries).toBe(3 - left)
    clock.advance({ seconds: seconds + 1 })
  }
  await doer.runDue()
  expect(delays).toEqual([1, 2])
  expect(await row(id)).toMatchObject({
    state: 'FAILED',
    attempts: 3,
    fault: 'BAD_USER_INPUT: the log of the product tells more by the id of this job',
  })
  clock.advance({ hours: 2 })
  await doer.runDue()
  expect(tries).toBe(3)
  expect(await effects('failing-')).toEqual([])
})

test('a fault of the product is told by its kind alone', async () => {
  const work = job('secretive', () => Promise.reject(new Error('the password is 1234')), { attempts: 1 })
  const id = await ask(acme, work, 'secretive-1')
  await worker([work]).runDue()
  const { fault } = await row(id)
  expect(fault).toBe('An internal error: the log of the product tells more by the id of this job')
})

test('a job whose worker is gone is another’s, and what the first still does is undone', async () => {
  const [begun, held] = [gate(), gate()]
  let runs = 0
  const work = job('lost', async () => {
    if (++runs > 1) return
    begun.open()
    await held.opened
  })
  const [one, two] = [worker([work]), worker([work])]
  const id = await ask(acme, work, 'lost-1')
  const first = one.runDue()
  await begun.opened
  await two.runDue()
  expect(runs).toBe(1)
  await graph.owner.query("UPDATE shared.jobs SET lease_until = now() - interval '1 s' WHERE id = $1", [id])
  await two.runDue()
  expect(await row(id)).toMatchObject({ state: 'DONE', attempts: 2 })
  held.open()
  await first
  expect(await row(id)).toMatchObject({ state: 'DONE', attempts: 2 })
  expect(await effects('lost-')).toEqual(['lost-1'])
})

test('a worker that lost its job does not end the attempt that another one is at', async () => {
  const gates = [gate(), gate()]
  const begun = [gate(), gate()]
  let runs = 0
  const work = job('overtaken', async () => {
    const run = runs++
    begun[run]!.open()
    await gates[run]!.opened
  })
  const [one, two] = [worker([work]), worker([work])]
  const id = await ask(acme, work, 'overtaken-1')
  const first = one.runDue()
  await begun[0]!.opened
  await graph.owner.query("UPDATE shared.jobs SET lease_until = now() - interval '1 s' WHERE id = $1", [id])
  const second = two.runDue()
  await begun[1]!.opened
  gates[0]!.open()
  await first
  expect(await row(id)).toMatchObject({ state: 'RUNNING', attempts: 2 })
  expect(await effects('overtaken-')).toEqual([])
  gates[1]!.open()
  await second
  expect(await row(id)).toMatchObject({ state: 'DONE', attempts: 2 })
  expect(await effects('overtaken-')).toEqual(['overtaken-1'])
})

test('a job that takes its worker along each time is not tried for ever', async () => {
  const work = job('deadly', undefined, { attempts: 2 })
  const id = await ask(acme, work, 'deadly-1')
  await graph.owner.query(
    "UPDATE shared.jobs SET state = 'RUNNING', attempts = 2, lease_until = now() - interval '1 s' WHERE id = $1",
    [id],
  )
  await worker([work]).runDue()
  expect(await row(id)).toMatchObject({ state: 'FAILED', fault: 'The process that did it is gone' })
  expect(await effects('deadly-')).toEqual([])
})

describe('cancelJob', () => {
  test('ends a job that waits, which is then never done', async () => {
    const work = job('waiting')
    const id = await ask(acme, work, 'waiting-1')
    const selection = 'job { state endedAt requestedBy { id } version }'
    const cancelled = await change(admin, 'cancelJob', { id }, selection)
    expect(cancelled).toEqual({
      state: 'CANCELLED',
      endedAt: expect.any(String),
      requestedBy: { id: admin.userId },
      version: 2,
    })
    await worker([work]).runDue()
    expect(await effects('waiting-')).toEqual([])
    expect(await userErrors(admin, 'cancelJob', { id })).toMatchObject([
      { code: 'INVALID_STATUS', field: ['id'] },
    ])
  })

  test('undoes a job that runs, and tells it', async () => {
    const begun = gate()
    const work = job('cancelled', async ({ signal }) => {
      begun.open()
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('as told'))))
    })
    const id = await ask(acme, work, 'cancelled-1')
    const done = worker([work]).runDue()
    await begun.opened
    expect(await change(admin, 'cancelJob', { id }, 'job { state }')).toEqual({ state: 'RUNNING' })
    await done
    expect(await row(id)).toMatchObject({ state: 'CANCELLED', attempts: 1 })
    expect(await effects('cancelled-')).toEqual([])
  })

  test('wins over a job that ends without looking', async () => {
    const [begun, held] = [gate(), gate()]
    const work = job('blind', async () => {
      begun.open()
      await held.opened
    })
    const id = await ask(acme, work, 'blind-1')
    const done = worker([work]).runDue()
    await begun.opened
    await change(admin, 'cancelJob', { id }, 'job { id }')
    held.open()
    await done
    expect(await row(id)).toMatchObject({ state: 'CANCELLED' })
    expect(await effects('blind-')).toEqual([])
  })

  test('is for what a user asked for, not for what the product does by itself', async () => {
    const work = job('scheduled')
    const id = await ask(acme, work, 'scheduled-1')
    await graph.owner.query('UPDATE shared.jobs SET requested_by_id = NULL WHERE id = $1', [id])
    expect(await userErrors(admin, 'cancelJob', { id })).toEqual([
      {
        ...{ code: 'INVALID', field: ['id'] },
        message: 'The product does this by itself: only what a user asked for is cancelled',
      },
    ])
    expect(await row(id)).toMatchObject({ state: 'WAITING' })
    await worker([work]).runDue()
    expect(await row(id)).toMatchObject({ state: 'DONE' })
  })

  test('finds no job of another tenant', async () => {
    const work = job('foreign')
    const id = await ask(globex, work, 'foreign-1')
    expect(await userErrors(admin, 'cancelJob', { id })).toMatchObject([{ code: 'NOT_FOUND' }])
    expect(await row(id)).toMatchObject({ state: 'WAITING' })
    const mine = await ask(acme, work, 'foreign-2')
    const shown = await admin.data<{ jobs: { nodes: { id: string }[] }; job: null }>(
      'query ($id: ID!) { jobs { nodes { id } } job(id: $id) { id } }',
      { id },
    )
    expect(shown).toEqual({ jobs: { nodes: [{ id: mine }] }, job: null })
  })
})

test('how far a job is shows while it runs', async () => {
  const held = gate()
  const work = job('long', async ({ progress }) => {
    progress(3, 10)
    await held.opened
    progress(10)
  })
  const id = await ask(acme, work, 'long-1')
  const done = worker([work]).runDue()
  const shown = () =>
    admin.data<{ job: object }>('query ($id: ID!) { job(id: $id) { state stepsDone stepsTotal } }', { id })
  const expected = { job: { state: 'RUNNING', stepsDone: 3, stepsTotal: 10 } }
  for (let wait = 0; wait < 600 && JSON.stringify(await shown()) !== JSON.stringify(expected); wait++)
    await sleep(100)
  expect(await shown()).toEqual(expected)
  held.open()
  await done
  expect(await shown()).toEqual({ job: { state: 'DONE', stepsDone: 10, stepsTotal: 10 } })
})

test('a tenant with many jobs delays nobody who has one', async () => {
  const order: string[] = []
  const work = job('crowd', async (_, { effect }) => void order.push(effect))
  for (let place = 0; place < 50; place++) await ask(acme, work, `crowd-acme-${place}`)
  await ask(globex, work, 'crowd-globex')
  await worker([work]).runDue()
  expect(order).toHaveLength(51)
  expect(order.indexOf('crowd-globex')).toBeLessThanOrEqual(2)
})

test('a slow tenant leaves a place to the others', async () => {
  const held = gate()
  const order: string[] = []
  const work = job('slow', async (_, { effect }) => {
    if (effect.startsWith('slow-acme')) await held.opened
    order.push(effect)
  })
  for (let place = 0; place < 4; place++) await ask(acme, work, `slow-acme-${place}`)
  await ask(globex, work, 'slow-globex')
  const done = worker([work]).runDue()
  for (let wait = 0; wait < 1_200 && order.length === 0; wait++) await sleep(50)
  expect(order).toEqual(['slow-globex'])
  held.open()
  await done
  expect(order).toHaveLength(5)
})

test('a process that stops gives back what it has not done, as if it had not begun', async () => {
  const begun = gate()
  const work = job('stopped', async ({ signal, attempt }) => {
    if (attempt > 1 || signal.aborted) return
    begun.open()
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('as told'))))
  })
  const id = await ask(acme, work, 'stopped-1')
  const one = worker([work])
  void one.runDue()
  await begun.opened
  await one.stop()
  expect(await row(id)).toMatchObject({ state: 'WAITING', attempts: 0, fault: null })
  const patient = job('stopped')
  await worker([patient]).runDue()
  expect(await row(id)).toMatchObject({ state: 'DONE', attempts: 1 })
  expect(await effects('stopped-')).toEqual(['stopped-1'])
})

describe('schedules', () => {
  const daily = { cron: '30 2 * * *', timeZone: 'Europe/Berlin' }
  const names = async () =>
    (
      await graph.owner.query(
        `SELECT t.slug, j.unique_key AS key, j.state FROM shared.jobs j JOIN tenancy.tenants t ON t.id = j.tenant_id
          WHERE t.slug IN ('acme', 'globex') ORDER BY 1, 2`,
      )
    ).rows

  test('reach each tenant once, whoever notices them, and make up for the last time only', async () => {
    const seen: string[] = []
    const work: Job = {
      name: 'nightly',
      schedule: daily,
      async run({ binding }, tx, _, { dueAt }) {
        seen.push(`${binding.tenantId} ${dueAt.toISOString()}`)
        tx.audit({ action: 'CREATE', resourceType: 'Test', resourceId: 'nightly', changes: {} })
      },
    }
    const [one, two] = [worker([work]), worker([work])]
    await Promise.all([one.runDue(), two.runDue()])
    expect(seen).toEqual([])
    clock.advance({ days: 3 })
    await Promise.all([one.runDue(), two.runDue()])
    const rows = await names()
    expect(rows).toEqual([
      {
        slug: 'acme',
        key: expect.stringMatching(/^schedule \d{4}-\d\d-\d\dT0[01]:30:00\.000Z$/),
        state: 'DONE',
      },
      { slug: 'globex', key: rows[0].key, state: 'DONE' },
    ])
    const time = rows[0].key.slice('schedule '.length)
    expect(seen.sort()).toEqual([acme, globex].map(({ id }) => `${id} ${time}`).sort())
    await one.runDue()
    expect(await effects('nightly')).toEqual(['nightly', 'nightly'])
  })

  test('of the installation have no tenant', async () => {
    const bound: unknown[] = []
    const work: Job = {
      name: 'installation',
      for: 'platform',
      schedule: daily,
      run: ({ binding }) => Promise.resolve(bound.push(binding.tenantId)),
    }
    const doer = worker([work])
    await doer.runDue()
    clock.advance({ days: 1 })
    await doer.runDue()
    expect(bound).toEqual([null])
    expect(await names()).toEqual([])
  })
})

describe('walls', () => {
  const insert = (columns: string, values: string) =>
    database.rows(
      { tenantId: acme.id },
      { text: `INSERT INTO shared.jobs (id, name${columns}) VALUES ('${uuidv7()}', 'x'${values})` },
    )

  test('a subgraph has work for itself only', async () => {
    await expect(insert(', subgraph', ", 'identity'")).rejects.toMatchObject({ code: '42501' })
    await insert('', '')
    const { rows } = await graph.owner.query("SELECT subgraph FROM shared.jobs WHERE name = 'x'")
    expect(rows).toEqual([{ subgraph: 'hr' }])
  })

  test('nobody changes what a job is about', async () => {
    await insert('', '')
    for (const change of ["payload = '{}'", "subgraph = 'identity'", "name = 'y'"])
      await expect(
        database.rows(
          { tenantId: acme.id },
          { text: `UPDATE shared.jobs SET ${change} WHERE tenant_id = '${acme.id}'` },
        ),
      ).rejects.toMatchObject({ code: '42501' })
  })

  test('a job in the list of no subgraph cannot be asked for', async () => {
    const context = { binding: { tenantId: acme.id }, clock }
    const rows = () => Promise.reject(new Error('sent'))
    await expect(enqueue(context, { rows }, job('nobodys'), { effect: '' })).rejects.toThrow(
      'in the list of no subgraph',
    )
    const [twice] = declareJobs('hr', [job('twice')])
    expect(() => declareJobs('finance', [twice!])).toThrow('The job twice belongs to hr and to finance')
    expect(() => declareJobs('hr', [job('twice'), job('twice')])).toThrow('two jobs are called twice')
  })
})
