import { customers } from './customers'
import { demoUserIds } from './ids'
import { seededId, seededRandom } from './random'
import { day, dayOf, instant, type DemoTable } from './table'
import { employeeId } from './work-time'

const collectedOf = (kept: readonly object[]) => ({
  types: [
    { type: 'Session', given: 4, erased: kept.length > 0 ? 0 : 4, kept },
    { type: 'User', given: 1, erased: kept.length > 0 ? 0 : 1, kept },
  ],
})
const inUse = [
  {
    ...{ rows: 1, until: null, then: 'EMPTIED' },
    reason: 'The account is in use: suspend it first (article 6(1)(b) GDPR)',
  },
]

/** Receipt of what went of a customer who works for the tenant as well, and of what stays until the claim and the work are over. */
const receiptOf = (at: string) => ({
  types: [
    { type: 'Customer', given: 0, erased: 1, kept: [] },
    { type: 'CustomerInteraction', given: 0, erased: 6, kept: [] },
    {
      ...{ type: 'Employee', given: 0, erased: 0 },
      kept: [
        {
          ...{ rows: 1, until: null, then: 'EMPTIED' },
          reason: 'The employment, and claims from it (article 17(3)(b) and (e) GDPR)',
        },
      ],
    },
    {
      ...{ type: 'SupportTicket', given: 0, erased: 2 },
      kept: [{ rows: 1, reason: 'Legal hold', until: null, then: 'EMPTIED' }],
    },
  ],
  passes: [{ at, erased: { Customer: 1, CustomerInteraction: 6, SupportTicket: 2 } }],
})

/**
 * Somebody was given what there is, somebody wants to be forgotten while still at work, of somebody nobody knew who it was, and somebody
 * was forgotten but for what has to stay.
 */
export const dataSubjectRequests: DemoTable = {
  name: 'compliance.data_subject_requests',
  noun: 'requests of people for their data',
  rows: (source) => {
    const { slug, today } = source
    const known = customers.rows({ ...source, random: seededRandom(`${slug} insights.customers`) })
    // Of its own: rows of other tables stay as they are.
    const random = seededRandom(`${slug} subject requests`)
    const { admin, hr, analyst, viewer } = demoUserIds[slug]
    const row = (daysAgo: number, values: object) => ({
      id: seededId(random, today - daysAgo * day),
      subject_type: 'USER',
      received_at: instant(today - daysAgo * day),
      answered: 0,
      downloaded_parts: 0,
      is_held: false,
      due_date: dayOf(today + (30 - daysAgo) * day),
      received_by_id: hr,
      created_at: instant(today - daysAgo * day),
      ...values,
    })
    const verified = (daysAgo: number) => ({
      verified_at: instant(today - daysAgo * day),
      verified_by_id: hr,
      verification: 'In person, with the employee badge',
      is_address_known: true,
      collected_by_id: hr,
      answered: 6,
    })
    return [
      row(21, {
        ...{ request_number: 'DSR-2026-001', type: 'ACCESS', status: 'FULFILLED', user_id: analyst },
        employee_id: employeeId(slug, 2),
        ...verified(20),
        requester_email: `analyst@${slug}.example`,
        extended_to: dayOf(today + 69 * day),
        extension_reason: 'Mails of three years had to be looked through as well',
        collected: collectedOf([]),
        receipt: collectedOf([]),
        outcome: 'Handed over in person, on a medium of the requester',
        approved_by_id: admin,
        approved_at: instant(today - 3 * day),
        fulfilled_by_id: admin,
        fulfilled_at: instant(today - 2 * day),
        ended_at: instant(today - 2 * day),
        export_hash: 'd5'.repeat(32),
        export_expires_at: instant(today + 5 * day),
        downloaded_at: instant(today - 2 * day),
        downloaded_parts: 1,
      }),
      row(6, {
        ...{ request_number: 'DSR-2026-002', type: 'ERASURE', status: 'REVIEW', user_id: viewer },
        employee_id: employeeId(slug, 3),
        ...verified(5),
        requester_email: `viewer@${slug}.example`,
        collected: collectedOf(inUse),
      }),
      row(4, {
        ...{ request_number: 'DSR-2026-003', type: 'ACCESS', status: 'REJECTED', subject_type: 'CUSTOMER' },
        requester_email: 'somebody@mail.example',
        rejected_by_id: admin,
        legal_ground: 'Article 12(6) GDPR: the person could not be identified and sent nothing more',
        ended_at: instant(today - day),
      }),
      row(40, {
        ...{ request_number: 'DSR-2026-004', type: 'ERASURE', status: 'FULFILLED', subject_type: 'CUSTOMER' },
        ...verified(39),
        ...{ customer_id: known[11]!['id'], employee_id: employeeId(slug, 4) },
        collected: { types: receiptOf('').types },
        receipt: receiptOf(instant(today - 35 * day)),
        approved_by_id: admin,
        approved_at: instant(today - 36 * day),
        fulfilled_by_id: admin,
        fulfilled_at: instant(today - 35 * day),
        ended_at: instant(today - 35 * day),
        last_pass_at: instant(today - 5 * day),
        next_pass_at: instant(today + 25 * day),
        is_held: true,
        shredded_at: instant(today - 28 * day),
      }),
    ]
  },
}
