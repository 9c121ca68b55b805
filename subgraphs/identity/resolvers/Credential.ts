import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { Credential } from '../entities/Credential'
import { User } from '../entities/User'
import type { Resolvers } from '../generated'
import {
  registerPasskeyBegin,
  registerPasskeyFinish,
  removeCredential,
  renameCredential,
} from '../passkeys/manage'
import { signInPasskeyBegin, signInPasskeyFinish } from '../passkeys/sign-in'
import { relyingParty } from '../rules/relying-party'
import { stepUpPasskeyBegin } from '../sessions/step-up'

export const credential: Resolvers = {
  Query: {
    credential: (_, { id }, context, info) => load(context, Credential, id, info),
    credentials: (_, args, context, info) => page(context, Credential, args, info),
  },
  Mutation: {
    registerPasskeyBegin: (_, { input }, context) => registerPasskeyBegin(context, input.keptOn ?? null),
    registerPasskeyFinish: (_, { input }, context) => registerPasskeyFinish(context, input),
    signInPasskeyBegin: (_, { input }, context) => signInPasskeyBegin(context, input),
    signInPasskeyFinish: (_, { input }, context) => signInPasskeyFinish(context, input),
    stepUpPasskeyBegin: (_, { input }, context) => stepUpPasskeyBegin(context, input.keptOn ?? null),
    renameCredential: (_, { input }, context) => renameCredential(context, input),
    removeCredential: (_, { input: { id } }, context) => removeCredential(context, id),
  },
  Credential: {
    user: one(Credential, 'userId', User),
    subject: needs(Credential, ['userId', 'subject'], ({ userId, subject }, _args, { viewer }) =>
      userId === viewer?.userId ? subject : null,
    ),
    isActive: needs(
      Credential,
      ['issuer', 'blockedAt'],
      ({ issuer, blockedAt }, _args, { services }) =>
        blockedAt === null && issuer === relyingParty(services.config.publicUrl).id,
    ),
  },
}
