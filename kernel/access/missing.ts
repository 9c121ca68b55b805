import { z } from 'zod'

/**
 * Names what a viewer lacks, as the schema's directives write it: any of the groups would do, and of each group stands what is
 * missing of it. A field asks for scopes or for policies.
 */
export interface Missing {
  scopes?: string[][]
  policies?: string[][]
}

const groups = z.array(z.array(z.string().max(200)).max(20)).max(20)
const missingForm = z.strictObject({ scopes: groups.optional(), policies: groups.optional() })

/** Returns what is missing, when it has its form: another service may have answered whatever. */
export function missingOf(given: unknown): { missing: Missing } | undefined {
  const { data } = given === undefined ? {} : missingForm.safeParse(given)
  return data && { missing: data }
}
