import { createHmac } from 'node:crypto'
import { demoUserIds, type DemoSlug } from './ids'
import { seededId, seededRandom } from './random'
import type { DemoRow } from './rows'
import { day, instant, padded, times, type DemoSource, type DemoTable } from './table'

interface Case {
  record: DemoRow
  matches: DemoRow[]
  decisions: DemoRow[]
}

const listVersion = 'Sample list 2026-11-01'

/** Makes the rows of one tenant's cases. */
function caseRows({ slug, today }: Pick<DemoSource, 'slug' | 'today'>) {
  const random = seededRandom(`${slug} compliance cases`)
  const { hr } = demoUserIds[slug]
  const open = (daysAgo: number, name: string, birthDate: string, values: DemoRow): DemoRow => {
    const created = today - daysAgo * day
    return {
      id: seededId(random, created),
      type: 'KYC',
      subject_name: name,
      subject_birth_date: birthDate,
      data: { document: 'Passport', checked: true },
      metadata: {},
      digest_key: createHmac('sha256', 'demo').update(`${slug} ${name}`).digest('base64url'),
      risk_score: 55,
      created_by_id: hr,
      prepared_by_id: hr,
      due_at: instant(created + 14 * day),
      screened_version: 1,
      screened_at: instant(created + day / 24),
      list_version: listVersion,
      created_at: instant(created),
      ...values,
    }
  }
  const match = (
    record: DemoRow,
    entry: string,
    listed: string,
    score: number,
    values: DemoRow = {},
  ): DemoRow => {
    const found = Date.parse(String(record['screened_at']))
    return {
      id: seededId(random, found),
      record_id: record['id'],
      list_name: 'Sample list',
      list_version: listVersion,
      entry_id: entry,
      compared_digest: digestOf(record, entry),
      listed_name: listed,
      score,
      decision: 'OPEN',
      is_current: true,
      created_at: instant(found),
      ...values,
    }
  }
  const decide = (
    record: DemoRow,
    at: number,
    action: string,
    from: string,
    to: string,
    values: DemoRow,
  ): DemoRow => ({
    id: seededId(random, at),
    record_id: record['id'],
    action,
    from_status: from,
    to_status: to,
    record_version: 1,
    content_digest: digestOf(record, 'content'),
    created_at: instant(at),
    ...values,
  })
  return { open, match, decide }
}

/**
 * Three cases: somebody who looks like a listed person, cleared by one officer and approved by another person than who made the
 * record; one whose match is open, and overdue; and an approval that ends within days.
 */
function cases({ slug, today }: Pick<DemoSource, 'slug' | 'today'>): Case[] {
  const { admin, analyst } = demoUserIds[slug]
  const { open, match, decide } = caseRows({ slug, today })
  const cleared = open(40, 'Viktor Drozdow', '1988-09-04', {
    status: 'APPROVED',
    reviewed_by_id: admin,
    expires_at: instant(today + 3 * 365 * day),
  })
  const clearedAt = today - 38 * day
  const comment = 'Another year and place of birth; the passport was seen'
  const found = match(cleared, 'S-0001', 'Viktor Anatolevich Drozdov', 97, {
    decision: 'FALSE_POSITIVE',
    comment,
    decided_by_id: analyst,
    decided_at: instant(clearedAt),
  })
  const waiting = open(20, 'Zoe Mueller-Lindqvist', '1979-12-02', {
    status: 'POTENTIAL_MATCH',
    risk_score: 85,
  })
  const ending = open(362, 'Grace Abernathy', '1971-05-23', {
    status: 'APPROVED',
    risk_score: 75,
    reviewed_by_id: admin,
    expires_at: instant(today + 3 * day),
  })
  return [
    {
      record: cleared,
      matches: [found],
      decisions: [
        decide(cleared, clearedAt, 'CLEAR_MATCH', 'POTENTIAL_MATCH', 'PENDING', {
          match_id: found['id'],
          rationale: comment,
          decided_by_id: analyst,
        }),
        decide(cleared, today - 37 * day, 'APPROVE', 'PENDING', 'APPROVED', {
          rationale: 'Identity and source of funds are documented',
          decided_by_id: admin,
        }),
      ],
    },
    { record: waiting, matches: [match(waiting, 'S-0002', 'Zoë Müller-Lindqvist', 99)], decisions: [] },
    {
      record: ending,
      matches: [],
      decisions: [
        decide(ending, today - 361 * day, 'APPROVE', 'PENDING', 'APPROVED', {
          rationale: 'Nobody on the lists looks like her',
          decided_by_id: admin,
        }),
      ],
    },
  ]
}

const digestOf = (record: DemoRow, what: string): string =>
  createHmac('sha256', String(record['digest_key'])).update(what).digest('base64url')

/** Checks of all kinds, and behind them the cases that are told of below. */
export const complianceRecords: DemoTable = {
  name: 'compliance.compliance_records',
  noun: 'compliance records',
  rows: ({ slug, profile, random, today }) => [
    ...times(profile.counts.records, (place) => {
      const { admin, hr, analyst } = demoUserIds[slug]
      const created = today - random.int(1, 900) * day - random.int(0, day)
      const creator = random.pick([hr, analyst])
      const preparer = random.chance(0.8) ? creator : random.pick([hr, analyst])
      const status = random.pick(['PENDING', 'APPROVED', 'APPROVED', 'REJECTED', 'FLAGGED'])
      const type = random.pick(['AML', 'KYC', 'KYC', 'OFAC', 'OTHER'])
      return {
        id: seededId(random, created),
        type,
        status,
        risk_score: random.chance(0.9) ? random.int(1, 100) : null,
        data: {
          subject: random.pick(profile.companies),
          reference: `${type}-${padded(place + 1, 4)}`,
          hits: random.int(0, 4),
        },
        metadata: type === 'OTHER' ? { check: 'Conflict minerals' } : {},
        created_by_id: creator,
        prepared_by_id: preparer,
        reviewed_by_id: status === 'PENDING' ? null : admin,
        created_at: instant(created),
      }
    }),
    ...cases({ slug, today }).map(({ record }) => record),
  ],
}

export const screeningMatches: DemoTable = {
  name: 'compliance.screening_matches',
  noun: 'screening matches',
  rows: (source) => cases(source).flatMap(({ matches }) => matches),
}

export const complianceDecisions: DemoTable = {
  name: 'compliance.compliance_decisions',
  noun: 'compliance decisions',
  rows: (source) => cases(source).flatMap(({ decisions }) => decisions),
}

/** A copied session, looked into by an officer; refusals that were a mistaken role; a scan that nobody has seen yet. */
export const securityAlerts: DemoTable = {
  name: 'compliance.security_alerts',
  noun: 'security alerts',
  rows: ({ slug, random, today }) => {
    const { admin, analyst, viewer } = demoUserIds[slug]
    const alert = (daysAgo: number, alertType: string, severity: string, values: DemoRow): DemoRow => {
      const at = today - daysAgo * day
      return {
        id: seededId(random, at),
        alert_type: alertType,
        severity,
        is_threat: false,
        status: 'OPEN',
        occurrences: 1,
        fingerprint: `${alertType} ${daysAgo}`,
        last_seen_at: instant(at),
        created_at: instant(at),
        ...values,
      }
    }
    return [
      alert(2, 'REFRESH_TOKEN_REUSED', 'HIGH', {
        description: 'A used refresh token came again: it was copied, and the session was ended',
        is_threat: true,
        threat_score: 0.9,
        source_ip: '198.51.100.23',
        status: 'INVESTIGATING',
        user_id: analyst,
        assignee_id: admin,
      }),
      alert(9, 'DENIAL_BURST', 'MEDIUM', {
        description: '24 refusals of one user within 5 minutes',
        threat_score: 0.2,
        source_ip: '192.0.2.17',
        status: 'RESOLVED',
        occurrences: 3,
        user_id: viewer,
        verdict: 'FALSE_POSITIVE',
        note: 'The dashboard asked for fields that the role does not show; the role is as it should be',
        resolved_by_id: admin,
        resolved_at: instant(today - 8 * day),
      }),
      alert(16, 'MASS_READ', 'MEDIUM', {
        description: '5,120 rows with sensitive data read within an hour',
        threat_score: 0.4,
        source_ip: '192.0.2.20',
        status: 'RESOLVED',
        user_id: admin,
        assignee_id: analyst,
        verdict: 'FALSE_POSITIVE',
        note: 'The yearly report to the auditors, announced a week before',
        resolved_by_id: analyst,
        resolved_at: instant(today - 15 * day),
      }),
      alert(0.5, 'PORT_SCAN', 'LOW', {
        description: 'Many ports of the public address from one network',
        source_ip: '2001:db8:17::/48',
        occurrences: 41,
      }),
    ]
  },
}

export const alertSuppressions: DemoTable = {
  name: 'compliance.alert_suppressions',
  noun: 'suppressions of alerts',
  rows: ({ slug, random, today }) => [
    {
      id: seededId(random, today - day),
      alert_type: 'PORT_SCAN',
      until: instant(today + 3 * day),
      reason: 'The yearly test of the network by an outside firm',
      suppressed: 12,
      created_by_id: demoUserIds[slug].admin,
      created_at: instant(today - day),
    },
  ],
}

/** A fixed id, so that what is held names its hold. */
const holdId = (slug: DemoSlug): string =>
  `019b76da-a800-7000-8000-0000000000${slug === 'acme' ? 'e1' : 'f1'}`

/** A claim for which everything about the checks of customers is kept. */
export const legalHolds: DemoTable = {
  name: 'compliance.legal_holds',
  noun: 'legal holds',
  rows: ({ slug, random, today }) => [
    {
      id: holdId(slug),
      hold_number: 'LH-2026-001',
      name: 'Abernathy against the company',
      reason: 'A letter before action about a refused account; counsel asked to keep all checks of customers',
      status: 'ACTIVE',
      placed_by_id: demoUserIds[slug].admin,
      created_at: instant(today - 30 * day),
    },
    {
      id: seededId(random, today - 400 * day),
      hold_number: 'LH-2025-004',
      name: 'Inquiry of the supervisory authority',
      reason: 'A letter of the authority about checks of the spring; nothing was to go while it asked',
      status: 'RELEASED',
      placed_by_id: demoUserIds[slug].admin,
      release_reason: 'The authority has closed its inquiry without a finding',
      release_proposed_by_id: demoUserIds[slug].hr,
      released_by_id: demoUserIds[slug].admin,
      released_at: instant(today - 210 * day),
      created_at: instant(today - 400 * day),
    },
  ],
}

export const heldSubjects: DemoTable = {
  name: 'shared.held_subjects',
  noun: 'things held',
  rows: ({ slug, random, today }) => [
    {
      id: seededId(random, today - 30 * day),
      hold_id: holdId(slug),
      resource_type: 'ComplianceRecord',
      created_at: instant(today - 30 * day),
    },
  ],
}

/** Logs are kept for half a year, since the auditor of the year asked for it. */
export const retentionPolicies: DemoTable = {
  name: 'compliance.retention_policies',
  noun: 'retention policies',
  rows: ({ slug, random, today }) => [
    {
      id: seededId(random, today - 200 * day),
      data_class: 'LOG',
      keep_for: 180,
      unit: 'DAY',
      legal_basis: 'Finding 7 of the audit of the year before',
      status: 'APPROVED',
      effective_at: instant(today - 199 * day),
      proposed_by_id: demoUserIds[slug].hr,
      approved_by_id: demoUserIds[slug].admin,
      created_at: instant(today - 200 * day),
    },
  ],
}

export const retentionRules: DemoTable = {
  name: 'shared.retention_rules',
  noun: 'retention rules',
  rows: ({ random, today }) => [
    {
      id: seededId(random, today - 199 * day),
      data_class: 'LOG',
      keep_for: 180,
      unit: 'DAY',
      effective_at: instant(today - 199 * day),
      created_at: instant(today - 199 * day),
    },
  ],
}

export const retentionReceipts: DemoTable = {
  name: 'shared.retention_receipts',
  noun: 'receipts of removals',
  rows: ({ random, today }) => [
    {
      id: seededId(random, today - 12 * day),
      run_id: seededId(random, today - 12 * day),
      subgraph: 'compliance',
      data_class: 'LOG',
      resource_type: 'SecurityAlert',
      keep_for: 180,
      unit: 'DAY',
      at: instant(today - 12 * day),
      removed: 17,
      held: 0,
      digest: createHmac('sha256', 'demo').update('removed alerts').digest('base64url'),
      created_at: instant(today - 12 * day),
    },
  ],
}
