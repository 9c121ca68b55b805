import { array, assert, constantFrom, property, record } from 'fast-check'
import { auditWindow } from '../../subgraphs/compliance/rules/audit-window'
import {
  act,
  endOfApproval,
  statuses,
  transitions,
  type Action,
  type Status,
} from '../../subgraphs/compliance/rules/review'

const actions = Object.keys(transitions).sort() as Action[]
const byProduct = new Set<Action>(['SCREEN', 'FIND_NOBODY', 'FIND_SOMEBODY', 'EXPIRE'])
const nobody = { raisedByIds: [], subjectName: null, contentVersion: 1, screenedVersion: null }

test('what each action makes of each status, and nothing else', () => {
  const allowed = statuses.flatMap((status) =>
    actions.flatMap((action) => {
      const outcome = act({ status, createdById: 'a', editorIds: ['c'], ...nobody }, 'b', action)
      return 'status' in outcome ? `${status} ${action} → ${outcome.status}` : []
    }),
  )
  expect(allowed).toEqual([
    'PENDING APPROVE → APPROVED',
    'PENDING EDIT → PENDING',
    'PENDING ESCALATE → FLAGGED',
    'PENDING FLAG → FLAGGED',
    'PENDING REJECT → REJECTED',
    'PENDING SCREEN → SCREENING',
    'SCREENING EDIT → PENDING',
    'SCREENING FIND_NOBODY → PENDING',
    'SCREENING FIND_SOMEBODY → POTENTIAL_MATCH',
    'POTENTIAL_MATCH CLEAR_MATCH → PENDING',
    'POTENTIAL_MATCH CONFIRM_MATCH → FLAGGED',
    'POTENTIAL_MATCH EDIT → PENDING',
    'POTENTIAL_MATCH ESCALATE → POTENTIAL_MATCH',
    'POTENTIAL_MATCH REJECT → REJECTED',
    'POTENTIAL_MATCH SCREEN → SCREENING',
    'APPROVED EDIT → PENDING',
    'APPROVED EXPIRE → EXPIRED',
    'APPROVED FIND_NOBODY → APPROVED',
    'APPROVED FIND_SOMEBODY → POTENTIAL_MATCH',
    'APPROVED FLAG → FLAGGED',
    'APPROVED SCREEN → SCREENING',
    'FLAGGED APPROVE → APPROVED',
    'FLAGGED CLEAR_MATCH → FLAGGED',
    'FLAGGED CONFIRM_MATCH → FLAGGED',
    'FLAGGED EDIT → PENDING',
    'FLAGGED ESCALATE → FLAGGED',
    'FLAGGED REJECT → REJECTED',
    'EXPIRED EDIT → PENDING',
    'EXPIRED REJECT → REJECTED',
    'EXPIRED SCREEN → SCREENING',
  ])
})

test('whatever is tried, the table is never left, and nobody decides about what is their own', () => {
  const steps = array(record({ action: constantFrom(...actions), user: constantFrom('a', 'b', 'c') }))
  assert(
    property(steps, (tried) => {
      const found = { status: 'PENDING' as Status, createdById: 'a', editorIds: [] as string[], ...nobody }
      for (const { action, user } of tried) {
        const before = { ...found, editorIds: [...found.editorIds] }
        const outcome = act(found, user, action)
        if ('fault' in outcome) continue
        expect(transitions[action][before.status]).toBe(outcome.status)
        expect(before.status).not.toBe('REJECTED')
        found.status = outcome.status
        if (action === 'EDIT') found.editorIds.push(user)
        else if (!byProduct.has(action)) expect(['a', ...before.editorIds]).not.toContain(user)
      }
    }),
  )
})

test('C5 who flagged does not approve, and a named person is approved only as screened', () => {
  const record = { status: 'FLAGGED' as Status, createdById: 'a', editorIds: [], ...nobody }
  expect(act({ ...record, raisedByIds: ['b'] }, 'b', 'APPROVE')).toMatchObject({
    fault: { code: 'OWN_RECORD' },
  })
  expect(act({ ...record, raisedByIds: ['b'] }, 'b', 'REJECT')).toEqual({ status: 'REJECTED' })
  const named = { ...record, subjectName: 'Ada', contentVersion: 3 }
  for (const screenedVersion of [null, 2])
    expect(act({ ...named, screenedVersion }, 'b', 'APPROVE')).toMatchObject({
      fault: { code: 'NOT_SCREENED' },
    })
  expect(act({ ...named, screenedVersion: 3 }, 'b', 'APPROVE')).toEqual({ status: 'APPROVED' })
})

test.each([
  ['2024-02-29T10:00:00.000Z', 70, '2025-02-28T10:00:00.000Z'],
  ['2026-11-28T10:00:00.000Z', 69, '2029-11-28T10:00:00.000Z'],
  ['2026-11-28T10:00:00.000Z', 39, '2031-11-28T10:00:00.000Z'],
  ['2026-11-28T10:00:00.000Z', null, '2027-11-28T10:00:00.000Z'],
])('an approval of %s at risk %s ends %s', (at, risk, end) => {
  expect(endOfApproval(new Date(at), risk).toISOString()).toBe(end)
})

describe('the times of an audit list', () => {
  const now = new Date('2026-03-01T12:34:56.789Z')

  test('are the 90 days up to the coming midnight', () => {
    const days = { gte: '2025-12-02T00:00:00.000Z', lt: '2026-03-02T00:00:00.000Z' }
    expect(auditWindow(undefined, now)).toEqual(days)
  })

  test('are the same all day long', () => {
    const times = ['00:00:00.000', '12:00:00.000', '23:59:59.999'].map((time) =>
      JSON.stringify(auditWindow(undefined, new Date(`2026-03-01T${time}Z`))),
    )
    expect(new Set(times).size).toBe(1)
  })

  test('end where asked and start 90 days before, or where asked', () => {
    const lt = '2024-03-01T06:00:00.000Z'
    expect(auditWindow({ lt }, now)).toEqual({ gte: '2023-12-02T06:00:00.000Z', lt })
    const gte = '2016-01-01T00:00:00.000Z'
    expect(auditWindow({ gte, lt }, now)).toEqual({ gte, lt })
    expect(auditWindow({ gte }, now)).toEqual({ gte, lt: '2026-03-02T00:00:00.000Z' })
    expect(auditWindow({ gt: gte, lte: lt }, now)).toEqual({ gt: gte, lte: lt })
    expect(auditWindow({ lte: lt }, now)).toEqual({ gte: '2023-12-02T06:00:00.000Z', lte: lt })
    expect(auditWindow({ eq: gte }, now)).toEqual({ eq: gte })
  })

  test('Q2 leave null and nothing to whoever refuses them', () => {
    expect(auditWindow(null, now)).toBeNull()
    expect(auditWindow({ gte: null }, now)).toEqual({ gte: null })
    expect(auditWindow({}, now)).toEqual({})
  })
})
