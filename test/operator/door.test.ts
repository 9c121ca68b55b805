import { openDatabase, type Database } from '../../kernel/connection/database'
import { uuidv7 } from '../../kernel/id'
import { digestOf, hashWithSalt } from '../../kernel/sign-in/password'
import { startGraph, type TestGraph } from '../support/graph'
import { addOperator, codeOf, operatorPassword, secretOf, signInOperator } from '../support/operator'

/** A5: what the operators' door gives to whoever took over the database role of identity, and to strangers. */
let graph: TestGraph
let identity: Database

beforeAll(async () => {
  graph = await startGraph({ isByTrueTime: true })
  identity = await openDatabase({
    url: graph.database.urlFor('identity'),
    entities: [],
    connections: 1,
    applicationName: 'door test',
  })
})
afterAll(async () => {
  await identity?.close()
  await graph?.close()
})

const ask = (text: string, values: unknown[] = []) => identity.rows({ tenantId: null }, { text, values })

const sessions = async (id: string) =>
  (await graph.owner.query('SELECT expires_at FROM identity.operator_sessions WHERE operator_id = $1', [id]))
    .rows

const stored = async (id: string) =>
  (
    await graph.owner.query<{ row: object; digest: string; factor: string }>(
      'SELECT to_jsonb(o) AS row, password_digest AS digest, factor_secret AS factor FROM identity.operators o WHERE id = $1',
      [id],
    )
  ).rows[0]!

it('the role of identity begins no session without the password, and none that is longer than an hour (A5)', async () => {
  const { id, email } = await addOperator(graph, 'role')
  const before = await stored(id)
  const [[operatorId, salt] = []] = await ask(
    'SELECT operator_id, salt FROM identity.operator_password_salt($1)',
    [email],
  )
  expect(operatorId).toBe(id)
  const proof = await hashWithSalt(operatorPassword, String(salt))
  const now = graph.clock.now()
  const at = (ms: number) => new Date(now.getTime() + ms).toISOString()
  const step = Math.floor(now.getTime() / 30_000)
  const hour = 3_600_000
  const begin = async (given: object = {}): Promise<unknown> => {
    const values = {
      ...{ id, proof, salt: null, digest: null, factor: before.factor, step, session: uuidv7() },
      ...{ instant: at(0), ends: at(hour), address: null, agent: null, ...given },
    }
    const text = 'SELECT identity.begin_operator_session($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)'
    return (await ask(text, Object.values(values)))[0]![0]
  }
  const offer = (given: string) =>
    ask('SELECT identity.offer_operator_factor($1, $2, $3, $4)', [id, given, 'k', 's'])
  for (const wrong of ['', 'x', String(salt), before.digest, digestOf(before.digest)]) {
    expect(await begin({ proof: wrong })).toBe(false)
    const found = 'SELECT * FROM identity.operator_for_sign_in($1, $2)'
    expect(await ask(found, [id, wrong])).toEqual([])
    expect(await offer(wrong)).toEqual([[false]])
  }
  for (const wrong of [
    { step: step + 2 },
    { step: step - 2 },
    { step: null },
    { salt: String(salt) },
    { digest: before.digest },
    { instant: at(hour / 10), ends: at(hour), step: step + 12 },
    { instant: at(-hour / 10), ends: at(hour / 2), step: step - 12 },
  ])
    expect([wrong, await begin(wrong)]).toEqual([wrong, false])
  for (const ends of [at(hour + 1000), at(-1), at(1e12)])
    await expect(begin({ ends })).rejects.toMatchObject({ constraint: 'operator_sessions_duration_check' })
  expect(await stored(id)).toEqual(before)
  expect(await sessions(id)).toEqual([])
  for (const column of ['password_salt', 'password_digest', 'factor_secret', '*'])
    await expect(ask(`SELECT ${column} FROM identity.operators`)).rejects.toMatchObject({ code: '42501' })
  await expect(ask('SELECT id FROM identity.operator_sessions')).rejects.toMatchObject({ code: '42501' })
  expect(await begin()).toBe(true)
  expect(await sessions(id)).toEqual([{ expires_at: new Date(at(hour)) }])
})

it('a known address, an unknown one and a disabled operator cost the same statements, and each leaves one note (A5)', async () => {
  const known = await addOperator(graph, 'known')
  const disabled = await addOperator(graph, 'disabled')
  await graph.owner.query("UPDATE identity.operators SET status = 'DISABLED' WHERE id = $1", [disabled.id])
  const notes = async () =>
    (
      await graph.owner.query<{ operator: string | null; details: object }>(
        "SELECT operator_id AS operator, details FROM shared.platform_actions WHERE action = 'SIGN_IN_FAILED' ORDER BY id",
      )
    ).rows
  const before = (await notes()).length
  const tried: string[][] = []
  for (const email of [known.email, 'nobody@platform.example', disabled.email]) {
    const password = email === disabled.email ? operatorPassword : 'wrong horse battery'
    const sent = await graph.statementsDuring(() => signInOperator(graph, { email, password, code: null }))
    tried.push(sent.filter(({ role }) => role === 'identity').map(({ text }) => text))
  }
  expect(tried[0]!.length).toBeGreaterThan(3)
  expect(tried[1]).toEqual(tried[0])
  expect(tried[2]).toEqual(tried[0])
  expect((await notes()).slice(before)).toEqual([
    { operator: known.id, details: { reason: 'WRONG_PASSWORD' } },
    { operator: null, details: { reason: 'UNKNOWN_OPERATOR' } },
    { operator: disabled.id, details: { reason: 'WRONG_PASSWORD' } },
  ])
  // Of a network that goes on trying unknown addresses one note stands; each costs the same.
  const count = (await notes()).length
  const email = 'nobody-else@platform.example'
  const sent = await graph.statementsDuring(() => signInOperator(graph, { email, password: 'x', code: null }))
  expect(sent.filter(({ role }) => role === 'identity').map(({ text }) => text)).toEqual(tried[0])
  expect((await notes()).length).toBe(count)
})

it('a device that was in before keeps its door, whatever strangers try (A5, A9)', async () => {
  const { email } = await addOperator(graph, 'device')
  const { deviceMark } = await signInOperator(graph, { email })
  expect(deviceMark).toMatch(/^[\da-f-]{36}\./)
  graph.clock.stop()
  for (let attempt = 0; attempt < 6; attempt++) await signInOperator(graph, { email, password: 'wrong' })
  expect((await signInOperator(graph, { email })).userErrors).toMatchObject([{ code: 'RATE_LIMITED' }])
  const other = await addOperator(graph, 'other-device')
  expect((await signInOperator(graph, { email: other.email })).deviceMark).not.toBeNull()
  for (const wrong of ['nonsense', (await signInOperator(graph, { email: other.email })).deviceMark!])
    expect((await signInOperator(graph, { email, deviceMark: wrong })).userErrors).toMatchObject([
      { code: 'RATE_LIMITED' },
    ])
  const code = codeOf(graph, secretOf(email))
  const again = await signInOperator(graph, { email, code, deviceMark })
  expect(again.userErrors).toEqual([])
  expect(again.deviceMark!.slice(0, 36)).toBe(deviceMark!.slice(0, 36))
})
