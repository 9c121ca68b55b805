import type { Resolvers } from '../generated'
import { createTenant, resetLoneAdministrator } from '../tenants'
import { operatorSignIn, operatorSignOut } from '../sessions/operator'

export const operator: Resolvers = {
  Mutation: {
    operatorSignIn: (_, { input }, context) => operatorSignIn(context, input),
    operatorSignOut: (_, { input }, context) => operatorSignOut(context, input.everywhere ?? false),
    createTenant: (_, { input }, context) => createTenant(context, input),
    resetLoneAdministrator: (_, { input }, context) => resetLoneAdministrator(context, input),
  },
}
