import type { Resolvers } from '../generated'
import { setSignInPolicy, signInPolicy as policyOf, viewerDueAt } from '../sign-in-policy'

export const signInPolicy: Resolvers = {
  Query: { signInPolicy: (_, _args, context) => policyOf(context) },
  Mutation: { setSignInPolicy: (_, { input }, context) => setSignInPolicy(context, input) },
  SignInPolicy: { viewerDueAt: (_, _args, context) => viewerDueAt(context) },
}
