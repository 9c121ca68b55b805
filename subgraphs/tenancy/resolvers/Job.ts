import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { mutate } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { Job } from '../entities/Job'
import type { Resolvers } from '../generated'

const defaultOrder = { property: 'createdAt', direction: 'DESC' } as const

export const job: Resolvers = {
  Query: {
    job: (_, { id }, context, info) => load(context, Job, id, info),
    jobs: (_, args, context, info) => page(context, Job, args, info, { defaultOrder }),
  },
  Mutation: {
    cancelJob: (_, { input: { id } }, context) =>
      mutate(context, async (tx) => {
        const { state, cancelRequestedAt, requestedById } = await tx.find(Job, id)
        // A tenant would keep its own bill from being written, or rows from going on their day.
        if (requestedById === null)
          tx.fail('INVALID', 'The product does this by itself: only what a user asked for is cancelled', 'id')
        const now = context.clock.now().toISOString()
        if (state !== 'WAITING' && state !== 'RUNNING')
          tx.fail('INVALID_STATUS', `This job is ${state} already`, 'id')
        // One that runs ends by itself: its worker finds the wish, at the latest when it would have been done.
        const end = state === 'WAITING' ? ({ state: 'CANCELLED', endedAt: now } as const) : {}
        return {
          job: await tx.update(Job, id, null, { ...end, cancelRequestedAt: cancelRequestedAt ?? now }),
        }
      }),
  },
  Job: {
    requestedBy: needs(Job, ['requestedById'], ({ requestedById }) =>
      requestedById ? { id: requestedById } : null,
    ),
  },
}
