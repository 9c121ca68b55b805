import { SoftPasskey, type Forgery } from './passkey'
import { password, testClient, type TestClient, type TestGraph, type TestTenant } from './graph'

/** What the application is called where passkeys are tried; pass it to the graph as `PUBLIC_URL`. */
export const origin = 'https://app.example'

type Options = Parameters<SoftPasskey['create']>[0] & Parameters<SoftPasskey['get']>[0]
interface Failure {
  code: string
  field: string[] | null
}
export interface SignedIn {
  accessToken: string | null
  mfaToken?: string | null
  userErrors: Failure[]
}

/** Passkeys of the users of one tenant, over HTTP. */
export class PasskeyClient {
  constructor(
    readonly graph: TestGraph,
    readonly tenant: TestTenant,
  ) {}

  async registerOptions(client: TestClient): Promise<Options> {
    const text = 'mutation { registerPasskeyBegin(input: {}) { options userErrors { code } } }'
    return (await client.data<{ registerPasskeyBegin: { options: Options } }>(text)).registerPasskeyBegin
      .options
  }

  async registerFinish(client: TestClient, credential: unknown, label = 'Laptop') {
    const text = `mutation ($input: RegisterPasskeyFinishInput!) { registerPasskeyFinish(input: $input) {
      credential { id label } recoveryCodes userErrors { code field } } }`
    const { registerPasskeyFinish } = await client.data<{
      registerPasskeyFinish: {
        credential: { id: string } | null
        recoveryCodes: string[] | null
        userErrors: Failure[]
      }
    }>(text, { input: { label, credential } })
    return registerPasskeyFinish
  }

  /** A passkey of the client's, added the honest way. */
  async register(client: TestClient, counts = true, label = 'Laptop') {
    const passkey = new SoftPasskey(origin, counts)
    const created = passkey.create(await this.registerOptions(client))
    const { credential, recoveryCodes } = await this.registerFinish(client, created, label)
    return { passkey, id: credential!.id, recoveryCodes }
  }

  async options(mfaToken: string | null = null, tenant = this.tenant.slug): Promise<Options> {
    const text = `mutation ($input: SignInPasskeyBeginInput!) { signInPasskeyBegin(input: $input) { options userErrors { code } } }`
    const input = { tenant, mfaToken }
    const told = await this.graph.anonymous.data<{ signInPasskeyBegin: { options: Options } }>(text, {
      input,
    })
    return told.signInPasskeyBegin.options
  }

  async finish(credential: unknown, tenant = this.tenant.slug): Promise<SignedIn> {
    const text = `mutation ($input: SignInPasskeyFinishInput!) { signInPasskeyFinish(input: $input) {
      accessToken userErrors { code field } } }`
    const input = { tenant, credential }
    return (await this.graph.anonymous.data<{ signInPasskeyFinish: SignedIn }>(text, { input }))
      .signInPasskeyFinish
  }

  async signIn(passkey: SoftPasskey, forged: Forgery = {}): Promise<SignedIn> {
    return this.finish(passkey.get(await this.options(), forged))
  }

  async byPassword({ email }: { email: string }, told = password): Promise<SignedIn> {
    const text =
      'mutation ($input: SignInInput!) { signIn(input: $input) { accessToken mfaToken userErrors { code field } } }'
    const input = { tenant: this.tenant.slug, email, password: told }
    return (await this.graph.anonymous.data<{ signIn: SignedIn }>(text, { input })).signIn
  }

  async complete(input: { mfaToken?: string | null; code?: string; passkey?: unknown }): Promise<SignedIn> {
    const text =
      'mutation ($input: CompleteSignInInput!) { completeSignIn(input: $input) { accessToken userErrors { code field } } }'
    return (await this.graph.anonymous.data<{ completeSignIn: SignedIn }>(text, { input })).completeSignIn
  }

  bearing(token: string | null): TestClient {
    return testClient(this.graph.server.url, '', { authorization: `Bearer ${token}` })
  }
}
