import { auditWindow } from '../../subgraphs/compliance/rules/audit-window'
import { isOpen, reviewFault, type Decision, type Status } from '../../subgraphs/compliance/rules/review'

const statuses: Status[] = ['PENDING', 'APPROVED', 'REJECTED', 'FLAGGED']
const decisions: Decision[] = ['APPROVED', 'REJECTED', 'FLAGGED']

test('the decisions that each status allows, and no others', () => {
  const allowed = statuses.flatMap((status) =>
    decisions
      .filter((decision) => !reviewFault({ status, createdById: 'a', preparedById: 'a' }, 'b', decision))
      .map((decision) => `${status} → ${decision}`),
  )
  expect(allowed).toEqual([
    'PENDING → APPROVED',
    'PENDING → REJECTED',
    'PENDING → FLAGGED',
    'APPROVED → FLAGGED',
    'FLAGGED → APPROVED',
    'FLAGGED → REJECTED',
  ])
})

test('neither creator nor preparer decides', () => {
  for (const decision of decisions) {
    const record = { status: 'PENDING', createdById: 'creator', preparedById: 'preparer' } as const
    expect(reviewFault(record, 'creator', decision)?.code).toBe('OWN_RECORD')
    expect(reviewFault(record, 'preparer', decision)?.code).toBe('OWN_RECORD')
    expect(reviewFault(record, 'reviewer', decision)).toBeNull()
  }
})

test('content changes until the decision', () => {
  expect(statuses.filter(isOpen)).toEqual(['PENDING', 'FLAGGED'])
})

describe('the times of an audit list', () => {
  const now = new Date('2026-03-01T12:34:56.789Z')

  test('are the 90 days up to the coming midnight', () => {
    const days = { gte: '2025-12-02T00:00:00.000Z', lt: '2026-03-02T00:00:00.000Z' }
    expect(auditWindow(undefined, now)).toEqual(days)
    expect(auditWindow(null, now)).toEqual(days)
    expect(auditWindow({ gte: null, lt: null }, now)).toEqual(days)
  })

  test('are the same all day long', () => {
    const times = ['00:00:00.000', '12:00:00.000', '23:59:59.999'].map((time) =>
      JSON.stringify(auditWindow(null, new Date(`2026-03-01T${time}Z`))),
    )
    expect(new Set(times).size).toBe(1)
  })

  test('end where asked and start 90 days before, or where asked', () => {
    const lt = '2024-03-01T06:00:00.000Z'
    expect(auditWindow({ lt }, now)).toEqual({ gte: '2023-12-02T06:00:00.000Z', lt })
    const gte = '2016-01-01T00:00:00.000Z'
    expect(auditWindow({ gte, lt }, now)).toEqual({ gte, lt })
    expect(auditWindow({ gte }, now)).toEqual({ gte, lt: '2026-03-02T00:00:00.000Z' })
  })
})
