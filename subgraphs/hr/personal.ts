import type { PersonalDeclarations } from '../../kernel/subjects'

/** Rules that do not follow from the fields: what is about an employee stays as long as the employee's own row. */
export const personal: PersonalDeclarations = {
  Employee: {
    kept: {
      dataClass: 'USER_DATA',
      startsAt: 't.termination_date',
      reason: 'The employment, and claims from it (article 17(3)(b) and (e) GDPR)',
    },
  },
}
