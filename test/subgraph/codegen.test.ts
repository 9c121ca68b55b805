import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../kernel/process/config'
import { runChild } from '../gateway/fixtures/child'

const file = (name: string) => readFileSync(join(projectRoot, 'subgraphs', name, 'generated.ts'), 'utf8')

// In a process of its own: the generator's packages are ES modules, which jest would have to transform.
beforeAll(async () => {
  const child = runChild('scripts/codegen.ts', [])
  expect([await child.exit, child.stderr()]).toEqual([0, ''])
})

test('an entity stands for its type, the key for another subgraph’s, the kernel’s error for user errors', () => {
  const text = file('hr')
  expect(text).toContain("import type { Employee as EmployeeRow } from './entities/Employee'")
  expect(text).toContain('  Employee: ResolverTypeWrapper<EmployeeRow>;')
  expect(text).toContain('  User: ResolverTypeWrapper<{ id: string }>;')
  expect(text).toContain('  HrUserError: ResolverTypeWrapper<UserErrorRow<HrUserErrorCode>>;')
})
