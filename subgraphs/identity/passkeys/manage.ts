import type { SubgraphContext } from '../../../kernel/context'
import { unauthenticated, userError, type UserError } from '../../../kernel/errors'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { Credential } from '../entities/Credential'
import type {
  IdentityUserErrorCode,
  PasskeyPlace,
  RegisterPasskeyFinishInput,
  RenameCredentialInput,
} from '../generated'
import { findOwner, firstRecoveryCodes, noteSecondFactors, requireFactorWhereAsked } from '../mfa'
import { relyingParty } from '../rules/relying-party'
import { notify } from '../sessions/notices'
import { noteProof, requireSecondFactorProof } from '../sessions/proof'
import { tenantNames } from '../sessions/tenant-names'
import { challengeMs, newChallenge, useChallenge, type ChallengeUse } from './challenge'
import { passkeysOf } from './options'
import { registrationOf } from './responses'
import { wrongPasskey } from './use'
import { algorithms, userHandle, verifyRegistration, webauthn } from './verify'

type Tx = MutationTransaction<IdentityUserErrorCode>
type Told<T> = Promise<Partial<T> & { userErrors: UserError<IdentityUserErrorCode>[] }>

/** Says how many passkeys one user may have. */
const mostPasskeys = 20

const places = {
  THIS_DEVICE: 'localDevice',
  SECURITY_KEY: 'securityKey',
  OTHER_DEVICE: 'remoteDevice',
} as const

/** Use of a challenge that a new passkey of the viewer signs: this session's. */
function registerUse({ viewer }: SubgraphContext): ChallengeUse & { userId: string; tenantId: string } {
  if (!viewer?.sessionId) throw unauthenticated()
  const { tenantId, userId, sessionId } = viewer
  return { purpose: 'register', whose: [tenantId, userId, sessionId], userId, tenantId }
}

/** Options that `navigator.credentials.create` takes, by `PublicKeyCredential.parseCreationOptionsFromJSON`. Nothing is kept. */
export async function registerPasskeyBegin(
  context: SubgraphContext,
  keptOn: PasskeyPlace | null,
): Promise<{ options: object; userErrors: [] }> {
  const { userId, tenantId, ...use } = registerUse(context)
  await context.db.transaction(context.binding, (tx) => requireSecondFactorProof(context, tx))
  const text = `SELECT email, coalesce(full_name, email) FROM identity.users WHERE tenant_id = $1 AND id = $2`
  const [row] = await context.db.rows(context.binding, prepared(text, [tenantId, userId]))
  const [userName, userDisplayName] = row as [string, string]
  const { name: rpName } = await tenantNames(context)
  const present = await passkeysOf(context, userId)
  const { generateRegistrationOptions } = await webauthn()
  const options = await generateRegistrationOptions({
    ...{ rpName, rpID: relyingParty(context.services.config.publicUrl).id },
    ...{ userID: userHandle(tenantId, userId), userName, userDisplayName },
    ...{ challenge: newChallenge(context, use), timeout: challengeMs, attestationType: 'none' },
    excludeCredentials: present,
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    supportedAlgorithmIDs: algorithms,
    preferredAuthenticatorType: keptOn ? places[keptOn] : undefined,
  })
  return { options, userErrors: [] }
}

/** Adds a passkey that signed a challenge of this session; it is a second factor, and a way in by itself. */
export async function registerPasskeyFinish(
  context: SubgraphContext,
  { label, credential }: RegisterPasskeyFinishInput,
): Told<{ credential: Credential; recoveryCodes: string[] | null }> {
  const told = registrationOf(credential)
  const passkey = told && (await verifyRegistration(context, told, registerUse(context)))
  return mutate(context, async (tx: Tx) => {
    const owner = await findOwner(context, tx)
    await requireSecondFactorProof(context, tx)
    const isTaken = 'SELECT FROM identity.credentials WHERE tenant_id = $1 AND issuer = $2 AND subject = $3'
    const refuse = () => tx.fail(wrongPasskey.code, wrongPasskey.message, 'credential')
    if (!told || !passkey || !(await useChallenge(context, tx, told.challenge))) return refuse()
    const { issuer, subject } = passkey
    if ((await tx.rows(prepared(isTaken, [owner.tenantId, issuer, subject]))).length > 0) return refuse()
    const count = 'SELECT count(*) FROM identity.credentials WHERE tenant_id = $1 AND user_id = $2'
    const [present] = await tx.rows(prepared(count, [owner.tenantId, owner.id]))
    if (Number(present![0]) >= mostPasskeys)
      tx.fail('INVALID', `You have ${mostPasskeys} passkeys, which is the most: remove one first`)
    const added = await tx.insert(Credential, { userId: owner.id, label, ...passkey })
    await noteProof(context, tx, 'PASSKEY')
    await noteSecondFactors(context, tx, owner)
    await notify(context, tx, owner, 'PASSKEY_ADDED')
    return { credential: added, recoveryCodes: await firstRecoveryCodes(context, tx, owner) }
  })
}

/** One of the viewer's passkeys, locked; another's, which those who watch over sign-ins see, is none. */
async function findOwn(context: SubgraphContext, tx: Tx, id: string): Promise<Credential> {
  const credential = await tx.find(Credential, id)
  if (credential.userId !== context.viewer?.userId)
    throw userError('NOT_FOUND', 'This is no passkey of yours', ['id'])
  return credential
}

export function renameCredential(
  context: SubgraphContext,
  { id, expectedVersion, label }: RenameCredentialInput,
): Told<{ credential: Credential }> {
  return mutate(context, async (tx: Tx) => {
    await findOwn(context, tx, id)
    return { credential: await tx.update(Credential, id, expectedVersion, { label }) }
  })
}

/** Removes a passkey of the viewer, unless it is the last second factor of somebody who needs one. */
export function removeCredential(context: SubgraphContext, id: string): Told<{ credential: Credential }> {
  return mutate(context, async (tx: Tx) => {
    const owner = await findOwner(context, tx)
    await requireSecondFactorProof(context, tx)
    const credential = await findOwn(context, tx, id)
    await tx.remove(Credential, id)
    const after = await noteSecondFactors(context, tx, owner)
    if (owner.mfaEnabled) await requireFactorWhereAsked(context, tx, after)
    await notify(context, tx, owner, 'SECOND_FACTOR_REMOVED')
    return { credential }
  })
}
