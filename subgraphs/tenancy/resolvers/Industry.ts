import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { nested, page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { Industry } from '../entities/Industry'
import type { Resolvers } from '../generated'

const defaultOrder = { property: 'code', direction: 'ASC' } as const

export const industry: Resolvers = {
  Query: {
    industry: (_, { id }, context, info) => load(context, Industry, id, info),
    industries: (_, args, context, info) => page(context, Industry, args, info, { defaultOrder }),
  },
  Industry: {
    parent: one(Industry, 'parentId', Industry),
    divisions: needs(Industry, ['id'], ({ id }, args, context, info) =>
      nested(context, Industry, 'parentId', id, args, info, { defaultOrder }),
    ),
  },
}
