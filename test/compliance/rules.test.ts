import { array, assert, constantFrom, property, record } from 'fast-check'
import { auditWindow } from '../../subgraphs/compliance/rules/audit-window'
import { act, transitions, type Action, type Status } from '../../subgraphs/compliance/rules/review'

const actions = Object.keys(transitions) as Action[]
const statuses: Status[] = ['PENDING', 'APPROVED', 'REJECTED', 'FLAGGED']

test('what each action makes of each status, and nothing else', () => {
  const allowed = statuses.flatMap((status) =>
    actions.flatMap((action) => {
      const outcome = act({ status, createdById: 'a', editorIds: ['c'] }, 'b', action)
      return 'status' in outcome ? `${status} ${action} → ${outcome.status}` : []
    }),
  )
  expect(allowed).toEqual([
    'PENDING EDIT → PENDING',
    'PENDING APPROVE → APPROVED',
    'PENDING REJECT → REJECTED',
    'PENDING FLAG → FLAGGED',
    'APPROVED FLAG → FLAGGED',
    'FLAGGED EDIT → PENDING',
    'FLAGGED APPROVE → APPROVED',
    'FLAGGED REJECT → REJECTED',
  ])
})

test('whatever is tried, the table is never left, and nobody decides about what is their own', () => {
  const steps = array(record({ action: constantFrom(...actions), user: constantFrom('a', 'b', 'c') }))
  assert(
    property(steps, (tried) => {
      const found = { status: 'PENDING' as Status, createdById: 'a', editorIds: [] as string[] }
      for (const { action, user } of tried) {
        const before = { ...found, editorIds: [...found.editorIds] }
        const outcome = act(found, user, action)
        if ('fault' in outcome) continue
        expect(transitions[action][before.status]).toBe(outcome.status)
        expect(before.status).not.toBe('REJECTED')
        found.status = outcome.status
        if (action === 'EDIT') found.editorIds.push(user)
        else expect(['a', ...before.editorIds]).not.toContain(user)
      }
    }),
  )
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
