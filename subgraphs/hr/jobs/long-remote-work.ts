import type { Job } from '../../../kernel/jobs'
import { lookAtLongSessions } from '../remote-work/end-session'

/**
 * Flags remote work that has gone on for more than 12 hours, and ends what has for more than 16: without an end, since nobody knows
 * one. What was ended meanwhile stays as it is, so it may run at any time and again.
 */
export const longRemoteWork: Job = {
  name: 'long-remote-work',
  schedule: { cron: '45 * * * *', timeZone: 'UTC' },
  run: (context, tx) => lookAtLongSessions(context, tx),
}
