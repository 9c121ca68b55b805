import { migration, sql } from './sql'

/** Scope → what its description says, and what it said before. */
const descriptions: Readonly<Record<string, readonly [string, string]>> = {
  'compliance:audit:read': [
    'Read who did what to what, and when: sign-ins among it, of users whose last sign-in the reader may not see otherwise',
    'Read who did what, and when',
  ],
  'compliance:audit:details': [
    'Read what an audited change changed, and from where it came: the status and permissions of users stand there as they are',
    'Read what an audited change changed, and from where it came',
  ],
  'hr:salary:summary': [
    'Read what several employees earn together. Do not give it together with hr:employee:write: who moves a person and asks before and after finds that salary',
    'Read what several employees earn together',
  ],
}

const describe = (place: 0 | 1) =>
  Object.entries(descriptions).map(
    ([name, texts]) =>
      `UPDATE identity.permissions SET description = '${texts[place].replaceAll("'", "''")}' WHERE name = '${name}'`,
  )

/** Descriptions of scopes that say what they tell besides the obvious, where those who give them read it. */
export const plainScopes = migration(202611281802, 'plain-scopes', [sql(describe(0), describe(1))])
