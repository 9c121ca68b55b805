import bcrypt from 'bcrypt'

const { hash, compare } = bcrypt

type Comparisons = jest.SpyInstance<Promise<boolean>, [data: string | Buffer, encrypted: string]>

/**
 * Has bcrypt work with 4 rounds in place of 12: 250 times less. `jest.restoreAllMocks()` ends it.
 * Returns the spy on comparisons.
 */
export function cheapBcrypt(): Comparisons {
  jest
    .spyOn(bcrypt, 'hash')
    .mockImplementation(async (data, how) =>
      hash(data, typeof how === 'string' ? how.replace('$12$', '$04$') : 4),
    )
  const comparisons = jest.spyOn(bcrypt, 'compare') as unknown as Comparisons
  return comparisons.mockImplementation(async (data, encrypted) =>
    compare(data, encrypted.replace('$12$', '$04$')),
  )
}
