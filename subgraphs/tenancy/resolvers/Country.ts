import { load } from '../../../kernel/load'
import { page } from '../../../kernel/page'
import { Country } from '../entities/Country'
import type { Resolvers } from '../generated'

const defaultOrder = { property: 'name', direction: 'ASC' } as const

export const country: Resolvers = {
  Query: {
    country: (_, { id }, context, info) => load(context, Country, id, info),
    countries: (_, args, context, info) => page(context, Country, args, info, { defaultOrder }),
  },
}
