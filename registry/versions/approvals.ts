import { existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { Fault } from '../fault'

/** Somebody's word that one change may happen although it breaks something. */
export interface Approval {
  /** The hash of the change: another change has another one, so the approval does not cover it. */
  change: string
  /** Holds what the hash stands for, for people. */
  code: string
  coordinate: string
  by: string
  reason: string
  /** Last day on which it holds, `YYYY-MM-DD`. */
  until: string
}

const day = () => z.iso.date('is not a day like 2026-12-31')
const said = () => z.string().trim().min(1, 'is empty')
const fileForm = () =>
  z.strictObject({
    approvals: z.array(
      z.strictObject({
        change: z.string().regex(/^[0-9a-f]{16}$/, 'is not the hash of a change'),
        code: said(),
        coordinate: said(),
        by: said(),
        reason: said(),
        until: day(),
      }),
    ),
  })

/**
 * Reads `schema/approvals.json`. No file, no approvals.
 * @throws Fault when somebody, a reason or an end is missing
 */
export function readApprovals(path: string): Approval[] {
  if (!existsSync(path)) return []
  let content: unknown
  try {
    content = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new Fault(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  const parsed = fileForm().safeParse(content)
  if (parsed.success) return parsed.data.approvals
  throw new Fault(
    parsed.error.issues
      .map(
        (issue) =>
          `${path}: ${issue.path.join('.')} ${issue.message}; an approval has change, code, coordinate, by, reason, until`,
      )
      .join('\n'),
  )
}

/** The approval of a change that holds on a day; null when there is none, or it has run out. */
export function approvalOf(approvals: readonly Approval[], hash: string, today: string): Approval | null {
  return approvals.find(({ change, until }) => change === hash && until >= today) ?? null
}
