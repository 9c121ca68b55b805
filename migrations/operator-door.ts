import { lookupFunction } from './lookup'
import type { Step } from './sql'

/** The door of the operators as it was while the role of identity could read the hashes of their passwords. */
export const doorByHashes: readonly Step[] = [
  lookupFunction({
    name: 'identity.operator_for_sign_in',
    parameters: 'operator_email text',
    returns: `TABLE (operator_id uuid, hash text, is_active boolean, must_change boolean, factor_key text, factor text,
      is_confirmed boolean, last_step bigint)`,
    rows: 1,
    body: `
BEGIN
  RETURN QUERY SELECT o.id, o.password_hash::text, o.status = 'ACTIVE', o.password_change_required,
         o.factor_key_id::text, o.factor_secret, o.factor_confirmed_at IS NOT NULL, o.factor_last_step
    FROM identity.operators o WHERE o.email = operator_email;
END`,
    reads: {
      'identity.operators': [
        ...['id', 'email', 'password_hash', 'status', 'password_change_required'],
        ...['factor_key_id', 'factor_secret', 'factor_confirmed_at', 'factor_last_step'],
      ],
    },
    callers: ['app_identity'],
  }),

  // The secret of an authenticator that counts for nothing yet, in place of one that was not confirmed.
  lookupFunction({
    name: 'identity.offer_operator_factor',
    parameters: 'operator uuid, known_hash text, key_id text, secret text',
    returns: 'boolean',
    volatility: 'VOLATILE',
    body: `
BEGIN
  UPDATE identity.operators o SET factor_key_id = key_id, factor_secret = secret, updated_at = now()
   WHERE o.id = operator AND o.status = 'ACTIVE' AND o.password_hash = known_hash AND o.factor_confirmed_at IS NULL;
  RETURN FOUND;
END`,
    reads: { 'identity.operators': ['id', 'status', 'password_hash', 'factor_confirmed_at'] },
    writes: { 'identity.operators': ['factor_key_id', 'factor_secret', 'updated_at'] },
    callers: ['app_identity'],
  }),

  // The row of the operator is locked: who is disabled or gets another password or second factor at this moment gets no session
  // by the old one, and of several who come with the same code one does. A new password ends the sessions of the former.
  lookupFunction({
    name: 'identity.begin_operator_session',
    parameters:
      'operator uuid, known_hash text, new_hash text, known_secret text, step bigint, session uuid, instant timestamptz, ends timestamptz, address text, agent text',
    returns: 'boolean',
    volatility: 'VOLATILE',
    body: `
BEGIN
  UPDATE identity.operators o SET last_sign_in_at = instant, updated_at = now(),
         password_hash = coalesce(new_hash, o.password_hash),
         password_change_required = o.password_change_required AND new_hash IS NULL,
         factor_confirmed_at = coalesce(o.factor_confirmed_at, instant), factor_last_step = step
   WHERE o.id = operator AND o.status = 'ACTIVE' AND o.password_hash = known_hash
     AND o.factor_secret = known_secret AND coalesce(o.factor_last_step, -1) < step
     AND (NOT o.password_change_required OR new_hash IS NOT NULL);
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE identity.operator_sessions s SET revoked_at = instant
   WHERE s.operator_id = operator AND s.revoked_at IS NULL AND new_hash IS NOT NULL;
  INSERT INTO identity.operator_sessions (id, operator_id, created_at, last_seen_at, expires_at, ip_address, user_agent)
  VALUES (session, operator, instant, instant, ends, address, agent);
  RETURN true;
END`,
    reads: {
      'identity.operators': [
        ...['id', 'status', 'password_hash', 'password_change_required'],
        ...['factor_secret', 'factor_confirmed_at', 'factor_last_step'],
      ],
      'identity.operator_sessions': ['operator_id', 'revoked_at'],
    },
    writes: {
      'identity.operators': [
        ...['last_sign_in_at', 'updated_at', 'password_hash', 'password_change_required'],
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
]
