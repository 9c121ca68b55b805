import { needs } from '../../shared/entity'
import { load, loadBy } from '../../shared/load'
import { money, moneyColumns } from '../../shared/money'
import { mutate } from '../../shared/mutate'
import { page } from '../../shared/page'
import { Employee } from '../entities/Employee'
import type { Resolvers } from '../generated'

const search = ['employeeNumber', 'fullName', 'position'] as const

export const employee: Resolvers = {
  Query: {
    employee: (_, { id }, context, info) => load(context, Employee, id, info),
    employees: (_, args, context, info) => page(context, Employee, args, info, { search }),
  },
  Mutation: {
    createEmployee: (_, { input }, context) =>
      mutate(context, async (tx) => ({ employee: await tx.insert(Employee, input) })),
    updateEmployee: (_, { input: { id, expectedVersion, ...changes } }, context) =>
      mutate(context, async (tx) => ({ employee: await tx.update(Employee, id, expectedVersion, changes) })),
    setEmployeeSalary: (_, { input: { id, expectedVersion, salary } }, context) =>
      mutate(context, async (tx) => {
        const changes = moneyColumns(salary, 'salary', 'salaryCurrency')
        return { employee: await tx.update(Employee, id, expectedVersion, changes) }
      }),
    assessEmployee: (_, { input: { id, expectedVersion, ...assessment } }, context) =>
      mutate(context, async (tx) => ({
        employee: await tx.update(Employee, id, expectedVersion, assessment),
      })),
    deactivateEmployee: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => ({
        employee: await tx.update(Employee, id, expectedVersion, { isActive: false }),
      })),
    reactivateEmployee: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => ({
        employee: await tx.update(Employee, id, expectedVersion, { isActive: true }),
      })),
  },
  Employee: {
    user: needs(Employee, ['userId'], ({ userId }) => (userId ? { id: userId } : null)),
    salary: needs(Employee, ['salary', 'salaryCurrency'], (row) => money(row.salary, row.salaryCurrency)),
  },
  User: {
    employee: ({ id }, _args, context, info) => loadBy(context, Employee, 'userId', id, info),
  },
}
