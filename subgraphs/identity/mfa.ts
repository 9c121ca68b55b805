import type { SubgraphContext } from '../../kernel/context'
import { unauthenticated, userError, type UserError } from '../../kernel/errors'
import { mutate, type MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import { findUser, requireAuthorityOver } from './authority'
import { MfaDevice } from './entities/MfaDevice'
import { User } from './entities/User'
import type { ConfirmMfaDeviceInput, IdentityUserErrorCode, ResetUserMfaInput } from './generated'
import { secondFactorResetMail } from './mails/second-factor-reset'
import { relyingParty } from './rules/relying-party'
import {
  acceptedStep,
  mostAuthenticators,
  newRecoveryCodes,
  newTotpSecret,
  otpauthUri,
  recoveryHash,
} from './sessions/codes'
import { countCodes, forgetAttempts } from './sessions/attempts'
import { entrust } from './sessions/invitation'
import { notify } from './sessions/notices'
import { noteProof, requireSecondFactorProof } from './sessions/proof'
import { refreshAuthority, revokeSessions } from './sessions/revoke'
import { wrongCode } from './sessions/second-factor'
import { tooManyAttempts } from './sessions/sign-in'

type Tx = MutationTransaction<IdentityUserErrorCode>
type Told<T> = Promise<Partial<T> & { userErrors: UserError<IdentityUserErrorCode>[] }>

const defaultLabel = 'Recovery codes'

/** The viewer's account, locked: what is done to one user's second factors is done one after the other. */
export function findOwner({ viewer }: SubgraphContext, tx: Tx): Promise<User> {
  if (!viewer) throw unauthenticated()
  return tx.find(User, viewer.userId)
}

/** One of the owner's devices, locked; another's, which those who watch over sign-ins see, is none. */
async function findOwn(tx: Tx, owner: User, id: string): Promise<MfaDevice> {
  const device = await tx.find(MfaDevice, id)
  if (device.userId !== owner.id) tx.fail('NOT_FOUND', 'This is no second factor of yours', 'id')
  return device
}

async function devicesOf(
  tx: Tx,
  { tenantId, id }: User,
): Promise<{ id: string; type: string; isConfirmed: boolean }[]> {
  const text = `SELECT id, type, confirmed_at IS NOT NULL FROM identity.mfa_devices WHERE tenant_id = $1 AND user_id = $2`
  const rows = await tx.rows(prepared(text, [tenantId, id]))
  return rows.map(([device, type, confirmed]) => ({
    id: String(device),
    type: String(type),
    isConfirmed: confirmed === true,
  }))
}

/**
 * Has `mfaEnabled` say what follows from devices and passkeys: whether there is an authenticator or a passkey that counts. With the
 * last of them the recovery codes go, which stand in for one. Where the tenant asks for a second factor, what open sessions may do
 * follows from it, on every gateway.
 */
export async function noteSecondFactors(context: SubgraphContext, tx: Tx, owner: User): Promise<User> {
  const devices = await devicesOf(tx, owner)
  const hasAuthenticator = devices.some(({ type, isConfirmed }) => type === 'TOTP' && isConfirmed)
  const mfaEnabled = hasAuthenticator || (await hasPasskey(tx, owner))
  const codes = devices.filter(({ type }) => type === 'RECOVERY_CODES').map(({ id }) => id)
  if (!mfaEnabled && codes.length > 0) await tx.removeAll(MfaDevice, codes)
  if (mfaEnabled !== owner.mfaEnabled)
    await refreshAuthority(context, tx, { tenantId: owner.tenantId, userIds: [owner.id] })
  return tx.update(User, owner.id, null, { mfaEnabled })
}

/**
 * One that is blocked or of a former domain counts: otherwise a copy of a passkey, or that the product moves, would have the
 * password alone open the account.
 */
async function hasPasskey(tx: Tx, { tenantId, id }: User): Promise<boolean> {
  const text = 'SELECT FROM identity.credentials WHERE tenant_id = $1 AND user_id = $2 LIMIT 1'
  return (await tx.rows(prepared(text, [tenantId, id]))).length === 1
}

const usable = `SELECT FROM identity.mfa_devices
    WHERE tenant_id = $1 AND user_id = $2 AND type = 'TOTP' AND confirmed_at IS NOT NULL
  UNION ALL SELECT FROM identity.credentials
    WHERE tenant_id = $1 AND user_id = $2 AND issuer = $3 AND blocked_at IS NULL LIMIT 1`

/** Fails when the viewer gave the last second factor away that is taken, and the tenant asks for one. */
export async function requireFactorWhereAsked(
  context: SubgraphContext,
  tx: Tx,
  { tenantId, id }: User,
): Promise<void> {
  const { id: issuer } = relyingParty(context.services.config.publicUrl)
  if ((await tx.rows(prepared(usable, [tenantId, id, issuer]))).length > 0) return
  // What `shared.second_factor_due` asks, which takes a blocked passkey for a second factor.
  const asks = `SELECT FROM identity.sign_in_policies
    WHERE tenant_id = $1 AND mfa_required AND (mfa_scopes = '{}' OR mfa_scopes && $2::text[])`
  if ((await tx.rows(prepared(asks, [tenantId, [...(context.viewer?.scopes ?? [])]]))).length > 0)
    tx.fail('LAST_FACTOR', 'Your organization asks for a second factor: add another one first', 'id')
}

/** Makes a secret for an authenticator of the viewer, which counts for nothing yet. */
export function enrollTotp(
  context: SubgraphContext,
  label: string,
): Told<{ mfaDevice: MfaDevice; secret: string; otpauthUri: string }> {
  return mutate(context, async (tx: Tx) => {
    const owner = await findOwner(context, tx)
    await requireSecondFactorProof(context, tx)
    const authenticators = (await devicesOf(tx, owner)).filter(({ type }) => type === 'TOTP')
    const left = authenticators.filter(({ isConfirmed }) => !isConfirmed).map(({ id }) => id)
    if (authenticators.length - left.length >= mostAuthenticators)
      tx.fail('INVALID', `You have ${mostAuthenticators} authenticators, which is the most: remove one first`)
    if (left.length > 0) await tx.removeAll(MfaDevice, left)
    const secret = newTotpSecret()
    const mfaDevice = await tx.insert(MfaDevice, { userId: owner.id, type: 'TOTP', label, secret })
    const [tenant] = await tx.rows(prepared('SELECT shared.tenant_name()', []))
    const names = { tenant: String(tenant![0]), email: owner.email }
    return { mfaDevice, secret, otpauthUri: otpauthUri(secret, names) }
  })
}

/** Has an authenticator count from here on, once a code of it is right; with the first one come recovery codes. */
export async function confirmMfaDevice(
  context: SubgraphContext,
  { id, code }: ConfirmMfaDeviceInput,
): Told<{ mfaDevice: MfaDevice; recoveryCodes: string[] | null; retryAfterSeconds: number }> {
  let counted: Awaited<ReturnType<typeof countCodes>> | undefined
  const result = await mutate(context, async (tx: Tx) => {
    const owner = await findOwner(context, tx)
    await requireSecondFactorProof(context, tx)
    const { id: deviceId, secret, confirmedAt } = await findOwn(tx, owner, id)
    if (confirmedAt !== null || !secret) return tx.fail('INVALID', 'This device was confirmed already', 'id')
    counted = await countCodes(context, owner.tenantId, deviceId)
    if (counted.wait) return tx.fail('RATE_LIMITED', tooManyAttempts(counted.wait).userErrors[0]!.message)
    const now = context.services.clock.now()
    const lastStep = acceptedStep(secret, code, { now, lastStep: null })
    if (lastStep === null) tx.fail('INVALID_CODE', wrongCode, 'code')
    const at = now.toISOString()
    const mfaDevice = await tx.update(MfaDevice, id, null, { confirmedAt: at, lastUsedAt: at, lastStep })
    await noteProof(context, tx, 'TOTP')
    await noteSecondFactors(context, tx, owner)
    await notify(context, tx, owner, 'SECOND_FACTOR_ADDED')
    return { mfaDevice, recoveryCodes: await firstRecoveryCodes(context, tx, owner) }
  })
  if (counted?.wait) return { ...result, retryAfterSeconds: counted.wait }
  if (counted && result.mfaDevice) await forgetAttempts(context, [counted.codes])
  return result
}

/** Recovery codes for whoever has none; null for everybody else. */
export async function firstRecoveryCodes(
  context: SubgraphContext,
  tx: Tx,
  owner: User,
): Promise<string[] | null> {
  const hasCodes = (await devicesOf(tx, owner)).some(({ type }) => type === 'RECOVERY_CODES')
  return hasCodes ? null : (await replaceCodes(context, tx, owner, defaultLabel)).recoveryCodes
}

/** New recovery codes of a user in place of those there are. */
async function replaceCodes(
  context: SubgraphContext,
  tx: Tx,
  owner: User,
  label: string,
): Promise<{ mfaDevice: MfaDevice; recoveryCodes: string[] }> {
  const recoveryCodes = newRecoveryCodes()
  const codeHashes = recoveryCodes.map((code) => `${recoveryHash(code)} `).join('')
  const confirmedAt = context.services.clock.now().toISOString()
  const former = (await devicesOf(tx, owner)).find(({ type }) => type === 'RECOVERY_CODES')
  const values = { label, codeHashes, remainingCodes: recoveryCodes.length, confirmedAt }
  const mfaDevice = former
    ? await tx.update(MfaDevice, former.id, null, values)
    : await tx.insert(MfaDevice, { ...values, userId: owner.id, type: 'RECOVERY_CODES' })
  return { mfaDevice, recoveryCodes }
}

export function regenerateRecoveryCodes(
  context: SubgraphContext,
  label: string | null,
): Told<{ mfaDevice: MfaDevice; recoveryCodes: string[] }> {
  return mutate(context, async (tx: Tx) => {
    const owner = await findOwner(context, tx)
    if (!owner.mfaEnabled)
      tx.fail('NO_SECOND_FACTOR', 'Add an authenticator first, with enrollTotp, or a passkey')
    await requireSecondFactorProof(context, tx)
    await notify(context, tx, owner, 'RECOVERY_CODES_RENEWED')
    return replaceCodes(context, tx, owner, label ?? defaultLabel)
  })
}

/** Removes a second factor of the viewer; recovery codes stand in for an authenticator, and go with the last one. */
export function removeMfaDevice(context: SubgraphContext, id: string): Told<{ mfaDevice: MfaDevice }> {
  return mutate(context, async (tx: Tx) => {
    const owner = await findOwner(context, tx)
    await requireSecondFactorProof(context, tx)
    const mfaDevice = await findOwn(tx, owner, id)
    await tx.remove(MfaDevice, id)
    const after = await noteSecondFactors(context, tx, owner)
    if (owner.mfaEnabled) await requireFactorWhereAsked(context, tx, after)
    if (mfaDevice.confirmedAt !== null) await notify(context, tx, owner, 'SECOND_FACTOR_REMOVED')
    return { mfaDevice }
  })
}

/**
 * Removes all second factors of a user whose row is locked, passkeys among them, and returns how many; `mfaEnabled` is the caller's
 * to write.
 */
export async function removeSecondFactors(
  tx: Pick<MutationTransaction, 'run'>,
  { tenantId, id }: Pick<User, 'tenantId' | 'id'>,
): Promise<number> {
  const devices = 'DELETE FROM identity.mfa_devices WHERE tenant_id = $1 AND user_id = $2'
  const passkeys = 'DELETE FROM identity.credentials WHERE tenant_id = $1 AND user_id = $2'
  return (
    (await tx.run(prepared(devices, [tenantId, id]))) + (await tx.run(prepared(passkeys, [tenantId, id])))
  )
}

/** Removes all second factors of another user, over whom the viewer has authority, and tells the user. */
export function resetUserMfa(
  context: SubgraphContext,
  { userId, reason }: ResetUserMfaInput,
): Told<{ user: User }> {
  return mutate(context, async (tx: Tx) => {
    const user = await findUser(context, tx, userId, 'userId')
    await requireAuthorityOver(context, tx, user.id, 'userId')
    if (user.id === context.viewer?.userId)
      tx.fail('INVALID', 'Remove your own devices with removeMfaDevice', 'userId')
    if (reason.length === 0 || reason.length > 500)
      throw userError('INVALID', 'Give a reason of 1 to 500 characters', ['reason'])
    const count = await removeSecondFactors(tx, user)
    if (count === 0) tx.fail('NO_SECOND_FACTOR', 'This user has no second factor', 'userId')
    await entrust(context, tx, user.id)
    tx.audit({
      ...{ action: 'UPDATE', resourceType: 'User', resourceId: user.id },
      changes: { after: { secondFactors: 0, count, reason } },
    })
    const changed = await noteSecondFactors(context, tx, user)
    const whose = { tenantId: user.tenantId, userId: user.id }
    await revokeSessions(context, tx, whose, { reason: 'REVOKED' })
    const by = context.viewer ? await tx.find(User, context.viewer.userId) : null
    const [tenant] = await tx.rows(prepared('SELECT shared.tenant_name()', []))
    const names = { tenant: String(tenant![0]), by: by?.fullName ?? by?.email ?? 'Somebody' }
    tx.mail(secondFactorResetMail({ to: user.email, reason, ...names }))
    return { user: changed }
  })
}
