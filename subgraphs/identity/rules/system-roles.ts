/** The roles that exist in every tenant, and what they are for. Which scopes they hold stands in the catalogue of permissions. */
export const systemRoleDescriptions = {
  ADMIN: 'May do everything in this tenant',
  USER: 'Works with customers and colleagues',
  COMPLIANCE_OFFICER: 'Keeps compliance records and reads the audit trail',
  HR_MANAGER: 'Keeps employee records, with salaries and performance',
  ANALYST: 'Works with figures and customers',
  VIEWER: 'Reads what is not confidential',
} as const

/** Returns what is wrong with the slug of a new tenant, for people; null when nothing is. */
export function slugFault(slug: string): string | null {
  return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(slug) && slug.length <= 100
    ? null
    : 'Take lower-case letters, digits and single hyphens, at most 100'
}
