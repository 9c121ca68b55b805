import type { Resolvers } from '../generated'
import {
  approveLoneAdministratorReset,
  requestLoneAdministratorReset,
  resetLoneAdministrator,
  stopLoneAdministratorReset,
} from '../lone-administrator'
import { createTenant } from '../tenants'
import { operatorSignIn, operatorSignOut } from '../sessions/operator'

export const operator: Resolvers = {
  Mutation: {
    operatorSignIn: (_, { input }, context) => operatorSignIn(context, input),
    operatorSignOut: (_, { input }, context) => operatorSignOut(context, input.everywhere ?? false),
    createTenant: (_, { input }, context) => createTenant(context, input),
    resetLoneAdministrator: (_, { input }, context) => resetLoneAdministrator(context, input),
    requestLoneAdministratorReset: (_, { input }, context) => requestLoneAdministratorReset(context, input),
    approveLoneAdministratorReset: (_, { input }, context) => approveLoneAdministratorReset(context, input),
    stopLoneAdministratorReset: (_, { input: { token } }, context) =>
      stopLoneAdministratorReset(context, token),
  },
}
