import { createHash } from 'node:crypto'
import { isRequiredArgument } from 'graphql'
import { issueAccessToken } from '../../kernel/sign-in/access-token'
import { formatApiKey, parseApiKey, type ApiKeyText } from '../../kernel/sign-in/api-key'
import { argumentsOf, inputValue, literal, queryAlong, selectionOf } from '../documents'
import { crossedKeys, crossedSessions } from '../coverage'
import { comparable, type Answer, type Asker } from '../askers'
import type { Lab } from '../lab'
import { attacker, type AttackedTenant } from '../population'
import { ownIds } from '../questions'

/**
 * Returns what the product keeps between requests: persisted documents, parsed documents and plans by their text,
 * sessions. A victim asks first, so that everything is kept for it; then the attacker asks the same.
 */
export async function attackCaches(lab: Lab, victim: AttackedTenant): Promise<void> {
  const [asker, theirs] = [await lab.as(attacker), await lab.as(victim)]
  for (const document of documentsOf(lab, victim)) await attackDocument(lab, asker, theirs, document)
  await attackSessions(lab, asker, theirs)
  await attackKeys(lab, asker, theirs)
}

interface PersistedDocument {
  name: string
  query: string
}

/** Every root field, and every argument for an id with the victim's own written into the document. */
function documentsOf(lab: Lab, victim: AttackedTenant): PersistedDocument[] {
  const own = ownIds(lab)
  const their = ownIds(lab, victim)
  const ofRoots = Object.values(lab.api.getQueryType()!.getFields()).map((field) => ({
    name: `Query.${field.name}`,
    query: queryAlong(
      [],
      `${field.name}${argumentsOf(field, their)} ${selectionOf(field.type, 1, own)}`,
      own,
    ),
  }))
  const ofIds = lab.surface.idArguments.map(({ name, parent, field, argument, type }) => {
    const given = field.args
      .filter((one) => one.name === argument || isRequiredArgument(one))
      .map((one) => {
        const ids = () => (one.name === argument ? lab.rows.id(victim, type) : own([one.name], type))
        return `${one.name}: ${literal(one.type, inputValue(one.type, { ids }, [one.name]))}`
      })
    const call = `${field.name}(${given.join(', ')}) ${selectionOf(field.type, 1, own)}`
    return { name, query: queryAlong(parent, call, own) }
  })
  return [...ofRoots, ...ofIds]
}

/**
 * The victim persists a document, the attacker and nobody at all send its hash: it must answer each as the whole text
 * did before. Another text must not take its place.
 */
async function attackDocument(
  lab: Lab,
  asker: Asker,
  theirs: Asker,
  { name, query }: PersistedDocument,
): Promise<void> {
  lab.coverage.attacked('persisted document', name)
  const sha256Hash = createHash('sha256').update(query).digest('hex')
  const extensions = { persistedQuery: { version: 1, sha256Hash } }
  const bare = async (who: Asker | null, body: object) => comparable(await lab.post(who, name, body), '\0')
  const before = [await bare(asker, { query }), await bare(null, { query })]
  const first = await lab.post(theirs, name, { query, extensions })
  const persisted = comparable(first, '\0')
  if (Object.values(first.data ?? {}).some((value) => value !== null))
    lab.coverage.shown('persisted document', name)
  const other = await lab.post(asker, name, { query: '{ __typename }', extensions })
  if (other.status !== 400 || other.data)
    lab.found('persisted document', name, `another text took its place: ${JSON.stringify(other)}`)
  const after = [await bare(asker, { extensions }), await bare(null, { extensions })]
  if (after.join() !== before.join())
    lab.found(
      'persisted document',
      name,
      `answers ${after.join()} by its hash, and ${before.join()} as a text`,
    )
  if ((await bare(theirs, { extensions })) !== persisted)
    lab.found('persisted document', name, 'was not kept as it was persisted')
}

/**
 * Tokens as only the product can sign them, for a tenant, a user and a session that do not belong together, while the
 * states of both sessions are kept: a state must not answer for another tenant's or user's token.
 */
async function attackSessions(lab: Lab, asker: Asker, theirs: Asker): Promise<void> {
  const { keys, config, clock } = lab.server.services
  const of = { attacker: claimsOf(asker), victim: claimsOf(theirs) }
  const whose = '{ tenant { id } viewer { id } }'
  const ask = (token: string): Promise<Answer> =>
    lab.post({ ...asker, token }, 'crossed session', { query: whose })
  for (const who of [theirs, asker]) {
    const { status } = await lab.post(who, 'own session', { query: whose })
    if (status !== 200) lab.found('session', 'own session', `is refused with ${status}`)
  }
  for (const crossing of crossedSessions) {
    lab.coverage.attacked('crossed session', crossing)
    const [tenant, user, session] = crossing.split(' ').map((one) => of[one as keyof typeof of])
    const claims = {
      tenantId: tenant!.tid,
      userId: user!.sub,
      sessionId: session!.sid,
      permissionVersion: of.attacker.pv,
    }
    const answer = await ask(issueAccessToken(keys, config.tokenIssuer, claims, clock).token)
    if (answer.status !== 401 || answer.data)
      lab.found('session', crossing, `is answered with ${answer.status} ${JSON.stringify(answer.data)}`)
  }
}

function claimsOf({ token }: Asker): { tid: string; sub: string; sid: string; pv: number } {
  const [, payload = ''] = token.split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as ReturnType<typeof claimsOf>
}

/** API keys of parts that do not belong together, while the states of both keys are kept, and then of keys that ended. */
async function attackKeys(lab: Lab, asker: Asker, theirs: Asker): Promise<void> {
  const whose = { query: '{ tenant { id } viewer { id } }' }
  const keys = { attacker: await madeKey(lab, asker), victim: await madeKey(lab, theirs) }
  for (const [who, { text }] of [
    [asker, keys.attacker],
    [theirs, keys.victim],
  ] as const) {
    const { status, data } = await lab.postWithKey(who.tenant, text, 'own key', whose)
    if (status !== 200 || (data?.['viewer'] as { id?: string } | null)?.id !== who.userId)
      lab.found('key', 'own key', `is answered with ${status} ${JSON.stringify(data)}`)
  }
  for (const crossing of crossedKeys) {
    lab.coverage.attacked('crossed key', crossing)
    const [tenant, key, secret] = crossing.split(' ').map((one) => keys[one as keyof typeof keys].parts)
    const text = formatApiKey('test', {
      tenantId: tenant!.tenantId,
      keyId: key!.keyId,
      secret: secret!.secret,
    })
    await refuseKey(lab, asker, text, crossing)
  }
  for (const { parts, text } of Object.values(keys)) {
    const who = parts === keys.attacker.parts ? asker : theirs
    const end = `mutation { revokeApiKey(input: { id: "${parts.keyId}" }) { userErrors { message } } }`
    await lab.post(who, 'revokeApiKey', { query: end })
    await refuseKey(lab, asker, text, 'revoked')
  }
}

async function refuseKey(lab: Lab, asker: Asker, text: string, what: string): Promise<void> {
  const { status, data } = await lab.postWithKey(asker.tenant, text, 'crossed key', {
    query: '{ tenant { id } }',
  })
  if (status !== 401 || data) lab.found('key', what, `is answered with ${status} ${JSON.stringify(data)}`)
}

let keyCount = 0

/** A key of somebody's own, as only its maker sees it. */
async function madeKey(lab: Lab, who: Asker): Promise<{ text: string; parts: ApiKeyText }> {
  const day = new Date(lab.server.services.clock.now().getTime() + 86_400_000).toISOString()
  const input = { name: `Attack ${++keyCount}`, scopes: ['tenancy:tenant:read'], expiresAt: day }
  const query = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }`
  const { data } = await lab.post(who, 'createApiKey', { query, variables: { input } })
  const text = (data?.['createApiKey'] as { secret?: string } | undefined)?.secret ?? ''
  const parts = parseApiKey(text)
  if (!parts) throw new Error(`${who.user} of ${who.tenant.slug} cannot make a key`)
  return { text, parts }
}
