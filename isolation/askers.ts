import { password, type AttackedTenant } from './population'

export interface Answer {
  status: number
  data?: Record<string, unknown> | null
  errors?: { message: string; path?: unknown; extensions?: Record<string, unknown> }[]
}

export interface Asker {
  tenant: AttackedTenant
  user: string
  userId: string
  token: string
}

/** Those who ask: each signed in once, and again when the session has ended. */
export class Askers {
  /** The number of operations that were sent. */
  operations = 0
  readonly #url: string
  readonly #signedIn = new Map<string, Promise<Asker>>()

  /** @param url of the product's GraphQL endpoint */
  constructor(url: string) {
    this.#url = url
  }

  /** Posts a body; with token null as nobody. */
  async send(token: string | null, body: object, signal?: AbortSignal): Promise<Answer> {
    this.operations += 1
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      body: JSON.stringify(body),
      signal,
    })
    return { status: response.status, ...((await response.json()) as Omit<Answer, 'status'>) }
  }

  /** Posts a body with an API key. */
  async sendWithKey(key: string, body: object): Promise<Answer> {
    this.operations += 1
    const headers = { 'content-type': 'application/json', 'x-api-key': key }
    const response = await fetch(this.#url, { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: response.status, ...((await response.json()) as Omit<Answer, 'status'>) }
  }

  /** Somebody of a tenant, signed in. */
  as(tenant: AttackedTenant, user = 'admin'): Promise<Asker> {
    const key = `${tenant.id} ${user}`
    let asker = this.#signedIn.get(key)
    if (!asker) this.#signedIn.set(key, (asker = this.#signIn(tenant, user)))
    return asker
  }

  /** Signs somebody in again whose session has ended. */
  async renew(tenant: AttackedTenant, user = 'admin'): Promise<void> {
    const { token } = await this.as(tenant, user)
    if ((await this.send(token, { query: '{ __typename }' })).status === 401)
      this.#signedIn.delete(`${tenant.id} ${user}`)
  }

  async #signIn(tenant: AttackedTenant, user: string): Promise<Asker> {
    const input = { tenant: tenant.slug, email: `${user}@${tenant.domain}.example`, password }
    const text =
      'mutation ($input: SignInInput!) { signIn(input: $input) { accessToken userErrors { message } } }'
    const answer = await this.send(null, { query: text, variables: { input } })
    const payload = answer.data?.['signIn'] as { accessToken: string | null } | undefined
    if (!payload?.accessToken)
      throw new Error(`${input.email} of ${tenant.slug} cannot sign in: ${JSON.stringify(answer)}`)
    const viewer = await this.send(payload.accessToken, { query: '{ viewer { id } }' })
    const { id } = (viewer.data?.['viewer'] ?? {}) as { id?: string }
    return { tenant, user, userId: String(id), token: payload.accessToken }
  }
}

/**
 * An answer in which a given value and what changes by itself do not stand any more: trace ids, when a summary was counted, and
 * the order of errors, which come as the subgraphs do.
 */
export function comparable(answer: Answer, value: string): string {
  const bare = (inner: unknown): string =>
    JSON.stringify(inner, (key, one: unknown) =>
      key === 'traceId' || key === 'asOf' ? undefined : one,
    ).replaceAll(value, 'ID')
  const { errors = [], ...rest } = answer
  return [bare(rest), ...errors.map(bare).sort()].join(' ')
}
