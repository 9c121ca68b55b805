/** Addresses are kept in lower case, so that spellings of one address are equal. Null and undefined stay. */
export function normalEmail<T extends string | null | undefined>(email: T): T {
  return (typeof email === 'string' ? email.toLowerCase() : email) as T
}
