import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { mutate } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { valueByKey } from '../../../kernel/query'
import { one } from '../../../kernel/relation'
import { summary } from '../../../kernel/summary'
import { AttendanceRecord } from '../entities/AttendanceRecord'
import { Employee } from '../entities/Employee'
import { RemoteWorkSession } from '../entities/RemoteWorkSession'
import type { Resolvers } from '../generated'
import {
  approveRemoteDay,
  cancelRemoteDay,
  rejectRemoteDay,
  requestRemoteDay,
} from '../remote-work/ask-for-days'
import { endRemoteWork, startRemoteWork } from '../remote-work/work-remotely'

const defaultOrder = { property: 'workDate', direction: 'DESC' } as const
const user = (id: string | null) => (id ? { id } : null)

/** The keys are an employee's id, the first and the last day. */
const daysByCountry = valueByKey<{ countryCode: string; days: number }[]>(
  `SELECT k.key, (
     SELECT coalesce(jsonb_agg(jsonb_build_object('countryCode', c.country_code, 'days', c.days) ORDER BY c.country_code), '[]')
       FROM (SELECT s.country_code, count(DISTINCT d.day)::int AS days FROM hr.remote_work_sessions s
              CROSS JOIN LATERAL (VALUES (s.work_date), (s.last_date)) AS d (day)
              WHERE s.tenant_id = $1 AND s.employee_id = split_part(k.key, ' ', 1)::uuid AND s.started_at IS NOT NULL
                AND s.work_date BETWEEN split_part(k.key, ' ', 2)::date - 1 AND split_part(k.key, ' ', 3)::date
                AND d.day BETWEEN split_part(k.key, ' ', 2)::date AND split_part(k.key, ' ', 3)::date
              GROUP BY s.country_code) c)
   FROM unnest($2::text[]) AS k (key)`,
  [],
)

export const remoteWorkSession: Resolvers = {
  Query: {
    remoteWorkSession: (_, { id }, context, info) => load(context, RemoteWorkSession, id, info),
    remoteWorkSessions: (_, args, context, info) =>
      page(context, RemoteWorkSession, args, info, { defaultOrder }),
    remoteWorkSessionSummary: (_, args, context, info) => summary(context, RemoteWorkSession, args, info),
  },
  Mutation: {
    startRemoteWorkSession: (_, { input }, context) =>
      mutate(context, async (tx) => ({ remoteWorkSession: await startRemoteWork(context, tx, input) })),
    endRemoteWorkSession: (_, { input }, context) =>
      mutate(context, async (tx) => ({ remoteWorkSession: await endRemoteWork(context, tx, input) })),
    requestRemoteWorkSession: (_, { input }, context) =>
      mutate(context, async (tx) => ({ remoteWorkSession: await requestRemoteDay(context, tx, input) })),
    approveRemoteWorkSession: (_, { input }, context) =>
      mutate(context, async (tx) => ({ remoteWorkSession: await approveRemoteDay(context, tx, input) })),
    rejectRemoteWorkSession: (_, { input }, context) =>
      mutate(context, async (tx) => ({ remoteWorkSession: await rejectRemoteDay(context, tx, input) })),
    cancelRemoteWorkSession: (_, { input }, context) =>
      mutate(context, async (tx) => ({ remoteWorkSession: await cancelRemoteDay(context, tx, input) })),
  },
  RemoteWorkSession: {
    employee: one(RemoteWorkSession, 'employeeId', Employee),
    attendance: one(RemoteWorkSession, 'attendanceId', AttendanceRecord),
    requestedBy: needs(RemoteWorkSession, ['requestedById'], (row) => user(row.requestedById)),
    approver: needs(RemoteWorkSession, ['approverId'], (row) => user(row.approverId)),
    approvedBy: needs(RemoteWorkSession, ['approvedById'], (row) => user(row.approvedById)),
  },
  Employee: {
    remoteWorkSessions: needs(Employee, ['id'], ({ id }, args, context, info) =>
      nested(context, RemoteWorkSession, 'employeeId', id, args, info, { defaultOrder }),
    ),
    remoteDays: needs(Employee, ['id'], ({ id }, { from, to }: { from: string; to: string }, context) =>
      daysByCountry(context, `${id} ${from} ${to}`),
    ),
  },
}
