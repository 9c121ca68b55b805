import { lookupFunction } from './lookup'
import { doorByHashes } from './operator-door'
import { lookupRole, migration, sql } from './sql'

const factorColumns = ['factor_key_id', 'factor_secret', 'factor_confirmed_at', 'factor_last_step']

/** The digest of what proves a password, as it is stored. */
const digest = (proof: string): string => `encode(sha256(convert_to(${proof}, 'UTF8')), 'hex')`

/**
 * No role reads what proves an operator's password: the table keeps the salt of the hash and a digest of it, and every function of the
 * door takes the hash, which only the password gives. Taking it back leaves passwords that nobody has: `npm run operator --
 * reset-password` makes others.
 */
export const operatorProofs = migration(202611290510, 'operator-proofs', [
  ...[...doorByHashes].reverse().map(({ up, down }) => ({ up: down, down: up })),
  sql(
    [
      'ALTER TABLE identity.operators ADD COLUMN password_salt varchar(29), ADD COLUMN password_digest text',
      // Copies of the hashes, such as backups, prove the passwords they are of until these change.
      `UPDATE identity.operators SET password_salt = left(password_hash, 29), password_digest = ${digest('password_hash')},
         password_change_required = true`,
      `ALTER TABLE identity.operators DROP COLUMN password_hash,
         ALTER COLUMN password_salt SET NOT NULL, ALTER COLUMN password_digest SET NOT NULL,
         ADD CONSTRAINT operators_password_check CHECK (password_salt ~ '^\\$2[aby]\\$[0-9]{2}\\$[./A-Za-z0-9]{22}$'
           AND password_digest ~ '^[0-9a-f]{64}$')`,
      `ALTER TABLE identity.operator_sessions ADD CONSTRAINT operator_sessions_duration_check
         CHECK (expires_at > created_at AND expires_at <= created_at + interval '1 hour')`,
    ],
    [
      'ALTER TABLE identity.operator_sessions DROP CONSTRAINT operator_sessions_duration_check',
      'ALTER TABLE identity.operators ADD COLUMN password_hash varchar(255)',
      `UPDATE identity.operators SET password_hash = '$2b$12$' || left(translate(encode(
         uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'base64'), '+', '.'), 53)`,
      `ALTER TABLE identity.operators ALTER COLUMN password_hash SET NOT NULL, DROP CONSTRAINT operators_password_check,
         DROP COLUMN password_salt, DROP COLUMN password_digest`,
    ],
  ),

  // By how much the time that a session is begun at may differ from the database's. Whoever owns the database says it, and no caller.
  sql(
    [
      `CREATE FUNCTION identity.operator_clock_slack() RETURNS interval LANGUAGE sql STABLE AS $$ SELECT interval '5 minutes' $$`,
      'REVOKE ALL ON FUNCTION identity.operator_clock_slack() FROM PUBLIC',
      `GRANT EXECUTE ON FUNCTION identity.operator_clock_slack() TO ${lookupRole}`,
    ],
    'DROP FUNCTION identity.operator_clock_slack()',
  ),

  // The salt says nothing of the password; with it the caller makes what proves it.
  lookupFunction({
    name: 'identity.operator_password_salt',
    parameters: 'operator_email text',
    returns: 'TABLE (operator_id uuid, salt text)',
    rows: 1,
    body: `
BEGIN
  RETURN QUERY SELECT o.id, o.password_salt::text FROM identity.operators o WHERE o.email = operator_email;
END`,
    reads: { 'identity.operators': ['id', 'email', 'password_salt'] },
    callers: ['app_identity'],
  }),
  lookupFunction({
    name: 'identity.operator_for_sign_in',
    parameters: 'operator uuid, proof text',
    returns: `TABLE (must_change boolean, factor_key text, factor text, is_confirmed boolean, last_step bigint)`,
    rows: 1,
    body: `
BEGIN
  RETURN QUERY SELECT o.password_change_required, o.factor_key_id::text, o.factor_secret,
         o.factor_confirmed_at IS NOT NULL, o.factor_last_step
    FROM identity.operators o
   WHERE o.id = operator AND o.status = 'ACTIVE' AND o.password_digest = ${digest('proof')};
END`,
    reads: {
      'identity.operators': ['id', 'password_digest', 'status', 'password_change_required', ...factorColumns],
    },
    callers: ['app_identity'],
  }),

  // The secret of an authenticator that counts for nothing yet, in place of one that was not confirmed.
  lookupFunction({
    name: 'identity.offer_operator_factor',
    parameters: 'operator uuid, proof text, key_id text, secret text',
    returns: 'boolean',
    volatility: 'VOLATILE',
    body: `
BEGIN
  UPDATE identity.operators o SET factor_key_id = key_id, factor_secret = secret, updated_at = now()
   WHERE o.id = operator AND o.status = 'ACTIVE' AND o.password_digest = ${digest('proof')}
     AND o.factor_confirmed_at IS NULL;
  RETURN FOUND;
END`,
    reads: { 'identity.operators': ['id', 'status', 'password_digest', 'factor_confirmed_at'] },
    writes: { 'identity.operators': ['factor_key_id', 'factor_secret', 'updated_at'] },
    callers: ['app_identity'],
  }),

  // The row of the operator is locked: who is disabled or gets another password or second factor at this moment gets no session
  // by the old one, and of several who come with the same code one does. A new password ends the sessions of the former. The
  // code's step is of the session's own time, which is that of the database but for clocks that differ by minutes, and an hour is all
  // of it: nobody makes a session that lasts, or a step that no code of the owner comes after.
  lookupFunction({
    name: 'identity.begin_operator_session',
    parameters:
      'operator uuid, proof text, new_salt text, new_digest text, known_secret text, step bigint, session uuid, instant timestamptz, ends timestamptz, address text, agent text',
    returns: 'boolean',
    volatility: 'VOLATILE',
    body: `
BEGIN
  IF (new_salt IS NULL) <> (new_digest IS NULL) OR step IS NULL
     OR abs(step - floor(extract(epoch FROM instant) / 30)) > 1
     OR instant NOT BETWEEN now() - identity.operator_clock_slack() AND now() + identity.operator_clock_slack() THEN
    RETURN false;
  END IF;
  UPDATE identity.operators o SET last_sign_in_at = instant, updated_at = now(),
         password_salt = coalesce(new_salt, o.password_salt), password_digest = coalesce(new_digest, o.password_digest),
         password_change_required = o.password_change_required AND new_digest IS NULL,
         factor_confirmed_at = coalesce(o.factor_confirmed_at, instant), factor_last_step = step
   WHERE o.id = operator AND o.status = 'ACTIVE' AND o.password_digest = ${digest('proof')}
     AND o.factor_secret = known_secret AND coalesce(o.factor_last_step, -1) < step
     AND (NOT o.password_change_required OR new_digest IS NOT NULL);
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE identity.operator_sessions s SET revoked_at = instant
   WHERE s.operator_id = operator AND s.revoked_at IS NULL AND new_digest IS NOT NULL;
  INSERT INTO identity.operator_sessions (id, operator_id, created_at, last_seen_at, expires_at, ip_address, user_agent)
  VALUES (session, operator, instant, instant, ends, address, agent);
  RETURN true;
END`,
    reads: {
      'identity.operators': [
        ...['id', 'status', 'password_salt', 'password_digest', 'password_change_required'],
        ...['factor_secret', 'factor_confirmed_at', 'factor_last_step'],
      ],
      'identity.operator_sessions': ['operator_id', 'revoked_at'],
    },
    writes: {
      'identity.operators': [
        ...['last_sign_in_at', 'updated_at', 'password_salt', 'password_digest', 'password_change_required'],
        ...['factor_confirmed_at', 'factor_last_step'],
      ],
      'identity.operator_sessions': ['revoked_at'],
    },
    adds: {
      'identity.operator_sessions': [
        ...['id', 'operator_id', 'created_at', 'last_seen_at', 'expires_at', 'ip_address', 'user_agent'],
      ],
    },
    callers: ['app_identity'],
  }),
])
