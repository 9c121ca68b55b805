import type { ClientBase } from 'pg'
import type { SystemRole } from '../../migrations/permissions'
import { hashPassword } from '../../kernel/sign-in/password'
import { createUser } from '../tenants'
import { demoSlugs, demoTenantIds, demoUserIds, demoUserNames, type DemoUserName } from './ids'

/** Names who the demo users are; each works for the tenant too. */
export const demoPeople: Readonly<
  Record<DemoUserName, { role: SystemRole; firstName: string; lastName: string; position: string }>
> = {
  admin: { role: 'ADMIN', firstName: 'Ada', lastName: 'Okafor', position: 'Operations director' },
  hr: { role: 'HR_MANAGER', firstName: 'Henrik', lastName: 'Søndergaard', position: 'Head of people' },
  analyst: { role: 'ANALYST', firstName: 'Ana', lastName: 'Yoshida', position: 'Business analyst' },
  viewer: { role: 'VIEWER', firstName: 'Vikram', lastName: 'Rao', position: 'Assistant' },
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
      const { role, firstName, lastName } = demoPeople[name]
      await createUser(client, demoTenantIds[slug], {
        id: demoUserIds[slug][name],
        email: `${name}@${slug}.example`,
        passwordHash,
        roles: [role],
        firstName,
        lastName,
      })
    }
  }
}

/** The lines that tell who of the demo tenants can sign in: the tenant beside its addresses, as the form asks for them. */
export function demoSignIns(password: string): string[] {
  const width = Math.max(...demoSlugs.map((slug) => slug.length))
  const tenants = demoSlugs.map((slug) => {
    const addresses = demoUserNames.map((name) => `${name}@${slug}.example`)
    return `sign in to tenant ${slug.padEnd(width)} as ${addresses.join(', ')}`
  })
  return [...tenants, `password ${password}`]
}
