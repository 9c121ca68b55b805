import type { SubgraphContext } from '../../../kernel/context'
import { needs } from '../../../kernel/entity'
import { load, loadBy } from '../../../kernel/load'
import { money, moneyColumns } from '../../../kernel/money'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { prepared } from '../../../kernel/statement'
import { summary } from '../../../kernel/summary'
import { followLoginInTime } from '../attendance/own-time'
import { Department } from '../entities/Department'
import { Employee } from '../entities/Employee'
import type { HrUserErrorCode, Resolvers, UpdateEmployeeInput } from '../generated'
import { settleLeave } from '../leave/end-of-work'
import { followLogin } from '../leave/own-leave'
import { handLineOn, requireManager, withDecisions } from '../manager-line'
import { requireOpenDepartment } from '../open-department'
import { requireNotOwn } from '../own-employment'
import { giveDaysBack } from '../remote-work/end-session'
import { terminationFault } from '../rules/employment'

export const employee: Resolvers = {
  Query: {
    employee: (_, { id }, context, info) => load(context, Employee, id, info),
    employees: (_, args, context, info) => page(context, Employee, args, info),
    employeeSummary: (_, args, context, info) => summary(context, Employee, args, info),
  },
  Mutation: {
    hireEmployee: (_, { input }, context) =>
      mutate(context, async (tx) => {
        await requireOpenDepartment(context, tx, input.departmentId)
        const employee = await tx.insert(Employee, input)
        await requireTakenOver(context, tx, input.userId)
        return { employee }
      }),
    updateEmployee: (_, { input: { id, expectedVersion, ...changes } }, context) =>
      mutate(context, async (tx) => {
        const former = await requireCorrectable(context, tx, { id, expectedVersion, ...changes })
        const employee = await tx.update(Employee, id, expectedVersion, { ...changes, ...former })
        await requireTakenOver(context, tx, changes.userId)
        if (changes.userId !== undefined) {
          await followLogin(context, tx, id, employee.userId)
          await followLoginInTime(context, tx, id, employee.userId)
        }
        return { employee }
      }),
    transferEmployee: (_, { input: { id, expectedVersion, departmentId } }, context) =>
      mutate(context, async (tx) => {
        const before = await findWorking(tx, id)
        await requireOpenDepartment(context, tx, departmentId)
        const change = () => tx.update(Employee, id, expectedVersion, { departmentId })
        return { employee: await withDecisions(context, tx, before, change) }
      }),
    promoteEmployee: (_, { input: { id, expectedVersion, position, salary } }, context) =>
      mutate(context, async (tx) => {
        await findWorking(tx, id)
        const changes = { position, ...moneyColumns(salary, 'salary', 'salaryCurrency') }
        return {
          employee: await others(context, tx, await tx.update(Employee, id, expectedVersion, changes)),
        }
      }),
    setEmployeeSalary: (_, { input: { id, expectedVersion, salary } }, context) =>
      mutate(context, async (tx) => {
        const changes = moneyColumns(salary, 'salary', 'salaryCurrency')
        return {
          employee: await others(context, tx, await tx.update(Employee, id, expectedVersion, changes)),
        }
      }),
    setEmployeeManager: (_, { input: { id, expectedVersion, managerId } }, context) =>
      mutate(context, async (tx) => {
        const before = await tx.find(Employee, id)
        if (managerId) await requireManager(context, tx, before.id, managerId)
        const change = async () =>
          await others(context, tx, await tx.update(Employee, id, expectedVersion, { managerId }))
        return { employee: await withDecisions(context, tx, before, change) }
      }),
    assessEmployee: (_, { input: { id, expectedVersion, ...assessment } }, context) =>
      mutate(context, async (tx) => {
        const assessed = await tx.update(Employee, id, expectedVersion, assessment)
        return { employee: await others(context, tx, assessed) }
      }),
    terminateEmployee: (_, { input: { id, expectedVersion, terminationDate } }, context) =>
      mutate(context, async (tx) => {
        const fault = terminationFault(await findWorking(tx, id), terminationDate, context.clock.now())
        if (fault) tx.fail('INVALID', fault, 'terminationDate')
        const changes = { isActive: false, terminationDate }
        const employee = await tx.update(Employee, id, expectedVersion, changes)
        await settleLeave(context, tx, employee, terminationDate)
        await giveDaysBack(context, tx, employee.id, terminationDate)
        await handLineOn(context, tx, employee)
        return { employee }
      }),
    rehireEmployee: (_, { input: { id, expectedVersion, hireDate, departmentId } }, context) =>
      mutate(context, async (tx) => {
        const former = await tx.find(Employee, id)
        if (former.isActive) tx.fail('EMPLOYED', 'This employee works for the tenant already', 'id')
        if (former.terminationDate && hireDate <= former.terminationDate)
          tx.fail('INVALID', 'hireDate must be after the day on which the former work ended', 'hireDate')
        await requireOpenDepartment(context, tx, departmentId ?? former.departmentId)
        const changes = { isActive: true, terminationDate: null, hireDate, departmentId }
        return {
          employee: await others(context, tx, await tx.update(Employee, id, expectedVersion, changes)),
        }
      }),
  },
  Employee: {
    user: needs(Employee, ['userId'], ({ userId }) => (userId ? { id: userId } : null)),
    department: one(Employee, 'departmentId', Department),
    manager: one(Employee, 'managerId', Employee),
    reports: needs(Employee, ['id'], ({ id }, args, context, info) =>
      nested(context, Employee, 'managerId', id, args, info),
    ),
    salary: needs(Employee, ['salary', 'salaryCurrency'], (row) => money(row.salary, row.salaryCurrency)),
  },
  User: {
    employee: ({ id }, _args, context, info) => loadBy(context, Employee, 'userId', id, info),
  },
}

/** The employee, locked; fails when there is none, or when the employee has left. */
async function findWorking(tx: MutationTransaction<HrUserErrorCode>, id: string): Promise<Employee> {
  const found = await tx.find(Employee, id)
  if (!found.isActive) tx.fail('NOT_EMPLOYED', 'This employee has left: rehire the employee first', 'id')
  return found
}

/** The employee that was changed, unless it is the viewer: that ends the mutation, and nothing of it stays. */
async function others(
  context: SubgraphContext,
  tx: MutationTransaction<HrUserErrorCode>,
  changed: Employee,
): Promise<Employee> {
  await requireNotOwn(context, tx, changed, { field: 'id', what: 'your own employment' })
  return changed
}

/**
 * Ends the mutation when the correction would replace a login by another, or is one of the viewer's own login, position or first
 * day of work. Who may write `userId` at all, the policy says (`policies.ts`). Returns whose login it was, where it is taken away.
 */
async function requireCorrectable(
  context: SubgraphContext,
  tx: MutationTransaction<HrUserErrorCode>,
  { id, expectedVersion, userId, position, hireDate }: UpdateEmployeeInput,
): Promise<Partial<Pick<Employee, 'formerUserIds'>>> {
  if (userId === undefined && position === undefined && hireDate === undefined) return {}
  const before = await tx.find(Employee, id)
  // A version that nobody saw is answered with STALE_VERSION by the update, not judged.
  if (before.version !== expectedVersion) return {}
  const isPromoted = position !== undefined && position !== before.position
  const isRedated = hireDate !== undefined && hireDate !== before.hireDate
  const isUnlinked = userId !== undefined && before.userId !== null && userId?.toLowerCase() !== before.userId
  if (isPromoted || isRedated || isUnlinked) {
    const field = isPromoted || isRedated ? 'id' : 'userId'
    await requireNotOwn(context, tx, before, { field, isRecorded: true, what: 'your own employment' })
  }
  if (!isUnlinked) return {}
  if (userId)
    tx.fail('ALREADY_LINKED', 'This employee has a login: take it away first, with userId: null', 'userId')
  return { formerUserIds: [...new Set([...before.formerUserIds, before.userId!])] }
}

/**
 * Ends the mutation when it links a login that somebody else may still come in with: who invited the user, or chose the
 * first password, would see the salary. To be called after who may link at all was decided.
 */
async function requireTakenOver(
  context: SubgraphContext,
  tx: MutationTransaction<HrUserErrorCode>,
  userId: string | null | undefined,
): Promise<void> {
  if (!userId) return
  if (userId.toLowerCase() === context.viewer?.userId)
    tx.fail('OWN_RECORD', 'Somebody else must do this: it is your own employment', 'userId')
  const [row] = await tx.rows(prepared('SELECT shared.user_is_taken_over($1)', [userId]))
  const message =
    'Others may know the secret of this login: link it once its owner has accepted the invitation or changed the first ' +
    'password, and while it is active'
  if (row?.[0] !== true) tx.fail('INVALID', message, 'userId')
}
