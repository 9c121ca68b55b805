import { Secret, TOTP } from 'otpauth'
import type { Client } from 'pg'
import { createOperator, operatorScopes } from '../../database/operators'
import type { AttackedTenant } from '../../isolation/population'
import { stateOf } from '../../isolation/witness'
import { wrapFactor } from '../../kernel/sign-in/operator-factor'
import { digestOf, hashPassword, saltOf } from '../../kernel/sign-in/password'
import { testClient, type TestClient, type TestGraph, type TestTenant } from './graph'
import { byEntry } from './platform-fields'

type Tenant = Pick<TestTenant, 'id' | 'slug'>

/** What a test's operator has as password after the first sign-in. */
export const operatorPassword = 'correct horse operator'
const firstPassword = 'chosen by somebody else'

export interface SignedIn {
  accessToken: string | null
  deviceMark: string | null
  expiresAt: string | null
  retryAfterSeconds: number | null
  secret: string | null
  otpauthUri: string | null
  userErrors: { code: string; message: string; field: string[] | null }[]
}

export const signInText = `mutation ($input: OperatorSignInInput!) { operatorSignIn(input: $input) {
  accessToken deviceMark expiresAt retryAfterSeconds secret otpauthUri userErrors { code message field } } }`

/** Secrets of the operators' authenticators, by address. */
const secrets = new Map<string, string>()

/** The secret of the authenticator of an operator of `addOperator`. */
export const secretOf = (email: string): string => secrets.get(email)!

/** The code that an operator's authenticator shows, by `steps` of 30 seconds ahead. */
export function codeOf(graph: Pick<TestGraph, 'clock'>, secret: string, steps = 0): string {
  const timestamp = graph.clock.now().getTime() + steps * 30_000
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp })
}

/** Adds an operator with these scopes, who has signed in once and has a password and an authenticator of their own. */
export async function addOperator(
  graph: TestGraph,
  name: string,
  scopes: readonly string[] = Object.keys(operatorScopes),
): Promise<{ id: string; email: string }> {
  const email = `${name}@platform.example`
  const passwordHash = await hashPassword(firstPassword, 4)
  const id = await createOperator(graph.owner, { email, name, scopes, passwordHash })
  const secret = new Secret({ size: 20 }).base32
  const { masterKeyId, wrapped } = await wrapFactor(graph.server.services.dataKeys.provider, id, secret)
  const hash = await hashPassword(operatorPassword, 4)
  await graph.owner.query(
    `UPDATE identity.operators SET password_salt = $2, password_digest = $5, password_change_required = false, factor_key_id = $3, factor_secret = $4,
            factor_confirmed_at = now(), factor_last_step = 0 WHERE id = $1`,
    [id, saltOf(hash), masterKeyId, wrapped, digestOf(hash)],
  )
  secrets.set(email, secret)
  return { id, email }
}

/** Signs an operator in with the code of this moment, however often; the whole payload. */
export async function signInOperator(
  graph: Pick<TestGraph, 'anonymous' | 'clock' | 'owner'>,
  input: {
    email: string
    password?: string
    newPassword?: string
    code?: string | null
    deviceMark?: string | null
  },
): Promise<SignedIn> {
  const email = input.email.toLowerCase()
  const secret = secrets.get(email)
  // In a test nobody waits for the next code.
  await graph.owner.query(
    'UPDATE identity.operators SET factor_last_step = 0 WHERE email = $1 AND factor_last_step > 0',
    [email],
  )
  const data = await graph.anonymous.data<{ operatorSignIn: SignedIn }>(signInText, {
    input: { password: operatorPassword, code: secret && codeOf(graph, secret), ...input },
  })
  return data.operatorSignIn
}

/** Asks with an operator's token. */
export const withToken = (graph: TestGraph, id: string, token: string): TestClient =>
  testClient(graph.server.url, id, { authorization: `Bearer ${token}` })

/** A new operator with these scopes, signed in. */
export async function operatorClient(
  graph: TestGraph,
  name: string,
  scopes?: readonly string[],
): Promise<TestClient> {
  const { id, email } = await addOperator(graph, name, scopes)
  const { accessToken, userErrors } = await signInOperator(graph, { email })
  if (!accessToken) throw new Error(`${email} cannot sign in: ${JSON.stringify(userErrors)}`)
  return withToken(graph, id, accessToken)
}

const insiders = new WeakMap<TestGraph, Map<string, Promise<TestClient>>>()

/** An operator with every scope who has entered the tenant, to read all there and to bill; by one name the same one each time. */
export function operatorIn(graph: TestGraph, tenant: Tenant, name = 'inside'): Promise<TestClient> {
  const known = insiders.get(graph) ?? new Map<string, Promise<TestClient>>()
  insiders.set(graph, known)
  const email = `${name}-${tenant.slug}`
  const client = known.get(email) ?? enterAs(graph, tenant, email)
  known.set(email, client)
  return client
}

async function enterAs(graph: TestGraph, { id, slug }: Tenant, name: string): Promise<TestClient> {
  const operator = await operatorClient(graph, name)
  const { entry } = await operator.data<{ entry: { accessToken: string | null; userErrors: object[] } }>(
    `mutation ($input: EnterTenantInput!) { entry: enterTenant(input: $input) { accessToken userErrors { code } } }`,
    { input: { tenantId: id, reason: 'Billing', minutes: 60, readsSensitive: true } },
  )
  if (!entry.accessToken) throw new Error(`${slug} cannot be entered: ${JSON.stringify(entry.userErrors)}`)
  return withToken(graph, operator.userId, entry.accessToken)
}

/** Who may ask for a mutation about rows of a tenant: its administrator, or the operator who is in it. */
export const writerOf = (graph: TestGraph, tenant: TestTenant, mutation: string): Promise<TestClient> =>
  byEntry.has(mutation) ? operatorIn(graph, tenant) : tenant.as('ADMIN')

/** What the tables have of tenants, as `stateOf` says it, but for the record that an operator who is in one asked for something. */
export async function stateBesidesEntries(
  owner: Client,
  tenants: readonly AttackedTenant[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await owner.query<{ state: string }>(
    `SELECT count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)), 0) AS state FROM shared.audit_logs t
      WHERE tenant_id = ANY ($1) AND NOT (resource_type = 'OperatorEntry' AND action = 'VIEW')`,
    [tenants.map(({ id }) => id)],
  )
  return new Map(await stateOf(owner, tenants)).set('shared.audit_logs', rows[0]!.state)
}
