import type { ClientBase } from 'pg'
import type { SystemRole } from '../../migrations/permissions'
import { hashPassword } from '../../subgraphs/shared/password'
import { createUser } from '../tenants'
import { demoSlugs, demoTenantIds, demoUserIds, demoUserNames, type DemoUserName } from './ids'

const people: Readonly<Record<DemoUserName, { role: SystemRole; firstName: string; lastName: string }>> = {
  admin: { role: 'ADMIN', firstName: 'Ada', lastName: 'Okafor' },
  hr: { role: 'HR_MANAGER', firstName: 'Henrik', lastName: 'Søndergaard' },
  analyst: { role: 'ANALYST', firstName: 'Ana', lastName: 'Yoshida' },
  viewer: { role: 'VIEWER', firstName: 'Vikram', lastName: 'Rao' },
}

/**
 * Adds the users of the demo tenants, which must exist: `admin@acme.example` and so on. They share one password, so
 * they share one hash too, which takes most of the time. Call it in a transaction.
 * @param client a connection as the owner (the migrator's URL)
 * @param rounds bcrypt's cost; lower only in tests
 */
export async function createDemoUsers(client: ClientBase, password: string, rounds?: number): Promise<void> {
  const passwordHash = await hashPassword(password, rounds)
  for (const slug of demoSlugs) {
    for (const name of demoUserNames) {
      const { role, ...person } = people[name]
      await createUser(client, demoTenantIds[slug], {
        id: demoUserIds[slug][name],
        email: `${name}@${slug}.example`,
        passwordHash,
        roles: [role],
        ...person,
      })
    }
  }
}
