import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { mutate } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { rowByKey } from '../../../kernel/query'
import { prepared } from '../../../kernel/statement'
import { Department } from '../entities/Department'
import { Employee } from '../entities/Employee'
import type { Resolvers } from '../generated'
import { followHead } from '../manager-line'

const defaultOrder = { property: 'name', direction: 'ASC' } as const
const countEmployees =
  'SELECT count(*)::int FROM hr.employees WHERE tenant_id = $1 AND department_id = $2 AND is_active'
const departmentOfUser = rowByKey(
  Department,
  'SELECT user_id, department_id FROM hr.employees WHERE tenant_id = $1 AND user_id = ANY ($2)',
)

export const department: Resolvers = {
  Query: {
    department: (_, { id }, context, info) => load(context, Department, id, info),
    departments: (_, args, context, info) => page(context, Department, args, info, { defaultOrder }),
  },
  Mutation: {
    createDepartment: (_, { input }, context) =>
      mutate(context, async (tx) => ({ department: await tx.insert(Department, input) })),
    updateDepartment: (_, { input: { id, expectedVersion, ...changes } }, context) =>
      mutate(context, async (tx) => {
        const { id: departmentId, headId: formerId } = await tx.find(Department, id)
        const changed = await tx.update(Department, id, expectedVersion, changes)
        await followHead(context, tx, departmentId, { formerId, approverId: changed.headId })
        return { department: changed }
      }),
    closeDepartment: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => {
        // Changed first: from here on nobody comes in, so the count is the last word.
        const closed = await tx.update(Department, id, expectedVersion, { isActive: false })
        const [row] = await tx.rows(prepared(countEmployees, [context.binding.tenantId, closed.id]))
        const count = Number(row![0])
        if (count > 0) tx.fail('IN_USE', `Employees in this department: ${count}. Transfer them first`, 'id')
        return { department: closed }
      }),
    reopenDepartment: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => ({
        department: await tx.update(Department, id, expectedVersion, { isActive: true }),
      })),
  },
  Department: {
    head: needs(Department, ['headId'], ({ headId }) => (headId ? { id: headId } : null)),
    employees: needs(Department, ['id'], ({ id }, args, context, info) =>
      nested(context, Employee, 'departmentId', id, args, info),
    ),
  },
  User: {
    department: ({ id }, _args, context, info) => departmentOfUser(context, id, info),
  },
  Tenant: {
    departments: ({ id }, args, context, info) =>
      nested(context, Department, 'tenantId', id, args, info, { defaultOrder }),
  },
}
