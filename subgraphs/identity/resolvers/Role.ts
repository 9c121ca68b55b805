import { page } from '../../shared/page'
import { Permission } from '../entities/Permission'
import { Role } from '../entities/Role'
import type { Resolvers } from '../generated'

const defaultOrder = { property: 'name', direction: 'ASC' } as const

export const role: Resolvers = {
  Query: {
    roles: (_, args, context, info) => page(context, Role, args, info, { defaultOrder }),
    permissions: (_, args, context, info) => page(context, Permission, args, info, { defaultOrder }),
  },
}
