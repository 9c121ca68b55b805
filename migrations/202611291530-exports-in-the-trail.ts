import { migration, sql } from './sql'

const before = ['CREATE', 'UPDATE', 'DELETE', 'VIEW', 'SIGN_IN', 'SIGN_IN_FAILED', 'SIGN_OUT', 'DENY']
const actions = (names: readonly string[]) =>
  `ALTER TABLE shared.audit_logs DROP CONSTRAINT audit_logs_action_check,
     ADD CONSTRAINT audit_logs_action_check CHECK (action IN (${names.map((name) => `'${name}'`).join(', ')}))`

/** The audit trail tells of lists that left as files. There is no way back once it did: the trail is sealed. */
export const exportsInTheTrail = migration(202611291530, 'exports-in-the-trail', [
  sql(actions([...before, 'EXPORT']), actions(before)),
])
