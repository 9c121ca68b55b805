import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { MfaDevice } from '../entities/MfaDevice'
import { User } from '../entities/User'
import type { Resolvers } from '../generated'
import { confirmMfaDevice, enrollTotp, regenerateRecoveryCodes, removeMfaDevice, resetUserMfa } from '../mfa'
import { completeSignIn } from '../sessions/second-factor'

export const mfaDevice: Resolvers = {
  Query: {
    mfaDevice: (_, { id }, context, info) => load(context, MfaDevice, id, info),
    mfaDevices: (_, args, context, info) => page(context, MfaDevice, args, info),
  },
  Mutation: {
    enrollTotp: (_, { input: { label } }, context) => enrollTotp(context, label),
    confirmMfaDevice: (_, { input }, context) => confirmMfaDevice(context, input),
    removeMfaDevice: (_, { input: { id } }, context) => removeMfaDevice(context, id),
    regenerateRecoveryCodes: (_, { input }, context) => regenerateRecoveryCodes(context, input.label ?? null),
    resetUserMfa: (_, { input }, context) => resetUserMfa(context, input),
    completeSignIn: (_, { input }, context) => completeSignIn(context, input),
  },
  MfaDevice: {
    user: one(MfaDevice, 'userId', User),
    isActive: needs(
      MfaDevice,
      ['confirmedAt', 'remainingCodes'],
      ({ confirmedAt, remainingCodes }) => confirmedAt !== null && remainingCodes !== 0,
    ),
  },
}
