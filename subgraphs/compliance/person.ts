import type { SubgraphContext } from '../../kernel/context'
import { isUuid } from '../../kernel/id'
import type { MutationTransaction } from '../../kernel/mutate'
import { requireOwnHand } from '../../kernel/second-person'
import { prepared } from '../../kernel/statement'
import type { DataSubjectRequest } from './entities/DataSubjectRequest'
import type { ComplianceUserErrorCode } from './generated'

type Transaction = MutationTransaction<ComplianceUserErrorCode>

/** The person that a request is about: the same one as a customer, an employee and a login. */
export type Person = Pick<DataSubjectRequest, 'customerId' | 'employeeId' | 'userId'>

/** Facts that other subgraphs know of a person. */
export interface PersonFacts {
  /** The login of the employee. */
  login: string | null
  /** The employee whose login it is. */
  employee: string | null
  isService: boolean
  isActive: boolean
  /** Tells whether an address is on record; null when none is. */
  isAddressKnown: boolean | null
}

/** The fields that say who it is, by kind of person. */
export const fieldOf = { CUSTOMER: 'customerId', EMPLOYEE: 'employeeId', USER: 'userId' } as const

/** Reads what is known of a person, and whether an address is theirs. */
export async function factsOf(
  tx: Transaction,
  { customerId, employeeId, userId }: Person,
  address: string | null,
): Promise<PersonFacts> {
  // What is no id is nobody's: the reference says so when it is written.
  const ids = [customerId, employeeId, userId].map((id) => (id && isUuid(id) ? id : null))
  const [row] = await tx.rows(prepared('SELECT shared.person_facts($1, $2, $3, $4)', [...ids, address]))
  return row![0] as PersonFacts
}

/** Ends the mutation when the viewer is the person, or could be: by the login, or that of the employee. */
export async function requireOther(
  context: SubgraphContext,
  tx: Transaction,
  { userId }: Person,
  { login }: PersonFacts,
): Promise<void> {
  const logins = [userId, login].filter((id) => id === null || isUuid(id))
  if (logins.includes(context.binding.actorId ?? ''))
    tx.fail('OWN_RECORD', 'Somebody else must do this: it is about you', 'id')
  await requireOwnHand(context, tx, logins, { code: 'OWN_RECORD', field: 'id' })
}

/**
 * The person that a request is about once it is verified. Whoever was named at its receipt stays; others may be named besides.
 * Ends the mutation when nobody of its kind is named, a login is no person's, or login and employee are not one person.
 */
export function personOf(tx: Transaction, found: DataSubjectRequest, named: Partial<Person>): Person {
  const fields = ['customerId', 'employeeId', 'userId'] as const
  for (const field of fields)
    if (found[field] !== null && named[field] && named[field] !== found[field])
      tx.fail(
        'INVALID',
        'It was received about another: reject it, and receive a request about this person',
        field,
      )
  const person = {
    customerId: found.customerId ?? named.customerId ?? null,
    employeeId: found.employeeId ?? named.employeeId ?? null,
    userId: found.userId ?? named.userId ?? null,
  }
  const field = fieldOf[found.subjectType]
  if (person[field] === null) tx.fail('INVALID', `${field} must say who it is`, field)
  return person
}

/** The person with the login that the employee has, and the employee whose login it is: who asks as one asks as both. */
export function wholePerson(
  { customerId, employeeId, userId }: Person,
  { login, employee }: PersonFacts,
): Person {
  return { customerId, employeeId: employeeId ?? employee, userId: userId ?? login }
}

/** Ends the mutation when the login is no person's, or not that of the employee. */
export function requireOnePerson(
  tx: Transaction,
  { userId }: Person,
  { login, isService }: PersonFacts,
): void {
  if (isService) tx.fail('INVALID', 'userId is an account of a program: nobody asks for its data', 'userId')
  if (userId !== null && login !== null && login !== userId)
    tx.fail('INVALID', 'employeeId has another login than userId: they are not one person', 'employeeId')
}
