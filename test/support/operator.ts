import { createOperator, operatorScopes } from '../../database/operators'
import { hashPassword } from '../../kernel/sign-in/password'
import { testClient, type TestClient, type TestGraph } from './graph'

/** What a test's operator has as password after the first sign-in. */
export const operatorPassword = 'correct horse operator'
const firstPassword = 'chosen by somebody else'

export interface SignedIn {
  accessToken: string | null
  expiresAt: string | null
  retryAfterSeconds: number | null
  userErrors: { code: string; message: string; field: string[] | null }[]
}

export const signInText = `mutation ($input: OperatorSignInInput!) { operatorSignIn(input: $input) {
  accessToken expiresAt retryAfterSeconds userErrors { code message field } } }`

/** Adds an operator with these scopes, who has signed in once and has a password of their own. */
export async function addOperator(
  graph: TestGraph,
  name: string,
  scopes: readonly string[] = Object.keys(operatorScopes),
): Promise<{ id: string; email: string }> {
  const email = `${name}@platform.example`
  const passwordHash = await hashPassword(firstPassword, 4)
  const id = await createOperator(graph.owner, { email, name, scopes, passwordHash })
  await graph.owner.query(
    'UPDATE identity.operators SET password_hash = $2, password_change_required = false WHERE id = $1',
    [id, await hashPassword(operatorPassword, 4)],
  )
  return { id, email }
}

/** Signs an operator in; the whole payload. */
export async function signInOperator(
  graph: Pick<TestGraph, 'anonymous'>,
  input: { email: string; password?: string; newPassword?: string },
): Promise<SignedIn> {
  const data = await graph.anonymous.data<{ operatorSignIn: SignedIn }>(signInText, {
    input: { password: operatorPassword, ...input },
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
