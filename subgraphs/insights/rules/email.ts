/** How an e-mail filter arrives: `StringFilter` of the shared schema. */
interface TextFilter {
  eq?: string | null
  in?: readonly string[] | null
}

/** Addresses are kept in lower case, so that spellings of one address are equal. Null and undefined stay. */
export function normalEmail<T extends string | null | undefined>(email: T): T {
  return (typeof email === 'string' ? email.toLowerCase() : email) as T
}

/** The filter with its whole addresses in the form in which they are kept. */
export function normalEmailFilter<T extends TextFilter | null | undefined>(filter: T): T {
  return (
    filter && { ...filter, eq: normalEmail(filter.eq), in: filter.in?.map((email) => normalEmail(email)) }
  )
}
