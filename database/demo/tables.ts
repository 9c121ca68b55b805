import { attendanceClosings, attendanceRecords } from './attendance'
import { overtimeRecords, overtimeRules } from './overtime'
import {
  alertSuppressions,
  complianceDecisions,
  complianceRecords,
  screeningMatches,
  securityAlerts,
  legalHolds,
  heldSubjects,
  retentionPolicies,
  retentionRules,
  retentionReceipts,
} from './compliance'
import { dataSubjectRequests } from './subject-requests'
import { books } from './books'
import {
  agreedItems,
  allocations,
  creditNoteLines,
  creditNotes,
  dunningPolicies,
  dunningSteps,
  invoiceLines,
  invoices,
  invoiceSeries,
  payments,
  refunds,
  subscriptions,
  taxProfiles,
  usageRecords,
} from './billing'
import { commission, commissionPayments } from './commission'
import { customers, interactions } from './customers'
import { analyticsEventKeys, analyticsEvents } from './events'
import { forecasts } from './forecasts'
import { entryTrail, operatorEntries } from './operators'
import { behaviorPatterns } from './patterns'
import { mfaDevices } from './second-factors'
import { demoUserIds, demoUserNames, type DemoSlug, type DemoUserName } from './ids'
import type { DemoCurrency, DemoProfile } from './profiles'
import { seededId, type Random } from './random'
import { remoteWorkRules, remoteWorkSessions } from './remote-work'
import type { DemoRow } from './rows'
import { amount, day, dayOf, instant, padded, score, times, type DemoSource, type DemoTable } from './table'
import { businessCalendars, slaPolicies, supportTickets, ticketMessages, ticketSeries } from './tickets'
import { demoPeople } from './users'
import { employeeId, workTimeTables } from './work-time'

/** Days that calendars get wrong. */
const leapDays = ['2000-02-29', '2024-02-29']

/** A fixed id, so that the rows of other tables can name the department. */
function departmentId(slug: DemoSlug, place: number): string {
  return `019b76da-a800-7000-8000-0000000000${slug === 'acme' ? 'c' : 'd'}${place}`
}

/** The places before this one are open departments. */
const openDepartments = 9

/** Which demo user leads the department at a place. */
const heads: readonly (DemoUserName | undefined)[] = ['admin', 'hr', 'analyst']

const departments: DemoTable = {
  name: 'hr.departments',
  noun: 'departments',
  rows: ({ slug, profile, today }) =>
    profile.departments.map(([name, description], place) => ({
      id: departmentId(slug, place),
      name,
      description,
      head_id: heads[place] ? demoUserIds[slug][heads[place]] : null,
      is_active: place < openDepartments,
      created_at: instant(today - (7_100 - place) * day),
    })),
}

const employees: DemoTable = {
  name: 'hr.employees',
  noun: 'employees',
  rows: ({ slug, profile, random, today }) => {
    const [currency] = profile.currencies as readonly [DemoCurrency]
    return times(profile.counts.employees, (place) => {
      const login = demoUserNames[place]
      const [someFirstName, someLastName] = random.pick(profile.people)
      const { firstName, lastName } = login
        ? demoPeople[login]
        : { firstName: someFirstName, lastName: someLastName }
      const [position, salary, department] = random.pick(profile.positions)
      const hired = today - random.int(10, 7_000) * day
      const hireDate = leapDays[place] ?? (random.chance(0.95) ? dayOf(hired) : null)
      const isPaid = random.chance(0.95)
      const isActive = login !== undefined || random.chance(0.92)
      const left = today - random.int(0, Math.min(700, Math.floor((today - hired) / day))) * day
      const departmentPlace = login
        ? heads.indexOf(login)
        : profile.departments.findIndex(([name]) => name === department)
      // In steps of a thousandth, so that salaries are round and some are equal.
      const paid = Math.round((salary * random.int(85, 130)) / 100 / 1_000) * 1_000
      const made = seededId(random, hired)
      return {
        id: employeeId(slug, place) ?? made,
        employee_number: `${slug === 'acme' ? 'E' : 'GX'}${padded(place + 1, 4)}`,
        user_id: login ? demoUserIds[slug][login] : null,
        manager_id: place > 0 && employeeId(slug, place) ? employeeId(slug, 0) : null,
        first_name: firstName,
        last_name: lastName,
        position: login ? demoPeople[login].position : random.chance(0.97) ? position : null,
        department_id: departmentPlace >= 0 ? departmentId(slug, departmentPlace) : null,
        hire_date: hireDate,
        termination_date: isActive ? null : dayOf(left),
        salary: isPaid ? String(paid * currency.minorUnits) : null,
        salary_currency: isPaid ? currency.code : null,
        performance_score: random.chance(0.8) ? random.int(30, 100) : null,
        retention_risk: random.chance(0.75) ? score(random) : null,
        is_active: isActive,
        // Who can sign in stands on the first page, where the newest records are.
        created_at: instant(login ? today - (place + 1) * 3_600_000 : hired),
      }
    })
  },
}

/** Movements of money, and what was paid of the commission that some of them earn. */
const transactions: DemoTable = {
  name: 'finance.transactions',
  noun: 'transactions',
  rows: (source) => {
    const rows = movements.rows(source)
    return [...rows, ...commissionPayments(source, rows)]
  },
}

const movements: DemoTable = {
  name: 'finance.transactions',
  noun: 'transactions',
  rows: ({ slug, profile, random, today }) => {
    const rows: DemoRow[] = []
    while (rows.length < profile.counts.transactions) {
      const type = random.pick(['INCOME', 'EXPENSE', 'EXPENSE', 'EXPENSE', 'TRANSFER', 'ADJUSTMENT'])
      const currency = random.pick(profile.currencies)
      const occurred = today - random.int(0, 540) * day - random.int(1, day)
      const fraud = random.int(0, 100)
      const units = random.chance(0.02) ? random.int(1_000_000, 40_000_000) : random.int(10, 60_000)
      const isRefund = type !== 'TRANSFER' && random.chance(0.04)
      const transaction = {
        id: seededId(random, occurred),
        transaction_number: `${slug === 'acme' ? 'T' : 'GT'}-${padded(rows.length + 1, 6)}`,
        type,
        category: categoryOf(profile, type, random),
        department_id:
          type === 'EXPENSE' && rows.length % 10 !== 3
            ? departmentId(slug, rows.length % openDepartments)
            : null,
        amount: amount(currency, isRefund ? -units : units),
        currency: currency.code,
        description: isRefund ? 'Refund' : random.chance(0.5) ? random.pick(profile.companies) : null,
        occurred_at: instant(occurred),
        is_fraudulent: fraud >= 98,
        fraud_score: random.chance(0.9) ? fraud / 100 : null,
        reversal_of_id: null,
        created_at: instant(occurred),
      }
      rows.push(transaction)
      if (!random.chance(0.03)) continue
      const reversed = Math.min(occurred + random.int(1, 20) * day, today - 1)
      rows.push({
        ...transaction,
        id: seededId(random, reversed),
        transaction_number: `${transaction.transaction_number}-R`,
        amount: String(-BigInt(transaction.amount)),
        description: 'Booked twice',
        occurred_at: instant(reversed),
        is_fraudulent: false,
        fraud_score: null,
        reversal_of_id: transaction.id,
        created_at: instant(reversed),
      })
    }
    return rows
  },
}

const budgets: DemoTable = {
  name: 'finance.budgets',
  noun: 'budgets',
  // The present month and the twenty before it.
  rows: ({ slug, profile, random, today }) => {
    const [currency] = profile.currencies as readonly [DemoCurrency]
    const now = new Date(today)
    return times(21 * openDepartments, (place) => {
      const start = new Date(
        Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - Math.floor(place / openDepartments), 1),
      )
      const created = start.getTime() - random.int(10, 60) * day
      const allocated = random.int(4, 30) * 5_000
      return {
        id: seededId(random, created),
        department_id: departmentId(slug, place % openDepartments),
        year: start.getUTCFullYear(),
        month: start.getUTCMonth() + 1,
        allocated: amount(currency, allocated),
        forecasted_spend: random.chance(0.6)
          ? amount(currency, Math.round((allocated * random.int(60, 130)) / 100))
          : null,
        currency: currency.code,
        created_at: instant(created),
      }
    })
  },
}

function categoryOf(profile: DemoProfile, type: string, random: Random): string | null {
  if (type === 'INCOME') return random.pick(profile.income)
  return type === 'EXPENSE' ? random.pick(profile.expense) : null
}

const auditEntries: DemoTable = {
  name: 'shared.audit_logs',
  noun: 'audit entries',
  // Of the last month only: the months before have no partition when the database is new.
  rows: (source) => [...entriesOf(source), ...entryTrail(source)],
}

function entriesOf({ slug, profile, random, today }: DemoSource): DemoRow[] {
  return times(profile.counts.entries, () => {
    const occurred = today - random.int(0, 27) * day - random.int(1, day)
    const action = random.pick([
      'CREATE',
      'UPDATE',
      'UPDATE',
      'VIEW',
      'SIGN_IN',
      'SIGN_OUT',
      'SIGN_IN_FAILED',
    ])
    const isSession = action.startsWith('SIGN')
    const changed = { before: { segment: null }, after: { segment: random.pick(profile.segments) } }
    return {
      occurred_at: instant(occurred),
      id: seededId(random, occurred),
      actor_id: action === 'SIGN_IN_FAILED' ? null : random.pick(Object.values(demoUserIds[slug])),
      action,
      resource_type: isSession ? 'Session' : 'Customer',
      resource_id: seededId(random, occurred),
      changes: action === 'UPDATE' ? changed : {},
      ip_address: random.pick(['192.0.2.17', '198.51.100.4', '2001:db8::7']),
      user_agent: random.pick(['Mozilla/5.0 (X11; Linux x86_64)', 'curl/8.5.0', null]),
    }
  })
}

/** Sessions that are over, some of them ended: there is no token to any of them. */
const sessions: DemoTable = {
  name: 'identity.sessions',
  noun: 'sessions',
  rows: ({ slug, random, today }) =>
    demoUserNames.flatMap((name) =>
      times(3, (place) => {
        const began = today - (1 + 8 * place + random.int(0, 6)) * day - random.int(0, day)
        const userId = demoUserIds[slug][name]
        const seen = began + random.int(1, 90) * 60_000
        const isEnded = random.chance(0.4)
        return {
          id: seededId(random, began),
          user_id: userId,
          created_at: instant(began),
          last_seen_at: instant(seen),
          proved_at: instant(began),
          expires_at: instant(began + 7 * day),
          revoked_at: isEnded ? instant(seen) : null,
          revoked_by_id: isEnded ? userId : null,
          revoke_reason: isEnded ? 'SIGNED_OUT' : null,
          ip_address: random.pick(['192.0.2.17', '198.51.100.4', '2001:db8::7']),
          user_agent: random.pick([
            'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
            'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Mobile/15E148 Safari/604.1',
            'curl/8.5.0',
          ]),
        }
      }),
    ),
}

/** By user: a key that is in use, and one that was given up. */
const keyNames = [
  ['Deployment', 'Deployment, old server'],
  ['Time tracking', 'Time tracking trial'],
  ['Nightly report', 'Spreadsheet export'],
  ['Wall display', 'Lobby display'],
] as const

/** Keys that nobody has: their hashes are of nothing. */
const apiKeys: DemoTable = {
  name: 'identity.api_keys',
  noun: 'API keys',
  rows: ({ slug, random, today }) =>
    keyNames.flat().map((name, index) => {
      const [place, isGivenUp] = [Math.floor(index / 2), index % 2 === 1]
      const owner = demoUserIds[slug][demoUserNames[place]!]
      const made = today - (20 + 30 * place) * day
      const hexadecimal = times(64, () => random.int(0, 15).toString(16)).join('')
      return {
        id: seededId(random, made),
        owner_id: owner,
        created_by_id: owner,
        name,
        key_prefix: `tg_test_${hexadecimal.slice(0, 12)}`,
        secret_hash: hexadecimal,
        scopes: ['hr:employee:read'],
        rate_limit: 1000,
        allowed_networks: place % 2 === 0 ? ['192.0.2.0/24'] : [],
        expires_at: instant(made + 365 * day),
        last_used_at: instant(today - random.int(10, 19) * day),
        usage_stats: { requests: random.int(10, 20_000) },
        revoked_at: isGivenUp ? instant(today - random.int(1, 9) * day) : null,
        revoked_by_id: isGivenUp ? owner : null,
        type: 'PRIVATE',
        created_at: instant(made),
      }
    }),
}

/** The tables of the demo data, in the order in which they are filled. */
export const demoTables: readonly DemoTable[] = [
  customers,
  interactions,
  businessCalendars,
  slaPolicies,
  supportTickets,
  ticketMessages,
  ticketSeries,
  analyticsEvents,
  analyticsEventKeys,
  behaviorPatterns,
  complianceRecords,
  screeningMatches,
  complianceDecisions,
  securityAlerts,
  alertSuppressions,
  legalHolds,
  heldSubjects,
  retentionPolicies,
  retentionRules,
  retentionReceipts,
  departments,
  employees,
  dataSubjectRequests,
  ...workTimeTables,
  attendanceRecords,
  attendanceClosings,
  overtimeRules,
  overtimeRecords,
  remoteWorkRules,
  remoteWorkSessions,
  transactions,
  ...books(transactions),
  ...commission(movements),
  ...forecasts(transactions),
  budgets,
  taxProfiles,
  subscriptions,
  agreedItems,
  invoices,
  invoiceLines,
  dunningPolicies,
  dunningSteps,
  creditNotes,
  creditNoteLines,
  payments,
  refunds,
  allocations,
  invoiceSeries,
  usageRecords,
  auditEntries,
  operatorEntries,
  sessions,
  apiKeys,
  mfaDevices,
]
