import { spelling } from './names'
import { applicationRoles, migration, sql } from './sql'

const callers = applicationRoles.join(', ')

/** How texts are spelled as names, so that a filter finds what uniqueness takes for the same name. */
export const spellingFunctions = migration(202611281350, 'spelling', [
  sql(
    [
      `CREATE FUNCTION shared.spelling(t text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (${spelling('t')}) COLLATE "C"
$$`,
      `GRANT EXECUTE ON FUNCTION shared.spelling(text) TO ${callers}`,
    ],
    'DROP FUNCTION shared.spelling(text)',
  ),
  sql(
    [
      `CREATE FUNCTION shared.spellings(texts text[]) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT array(SELECT shared.spelling(one) FROM unnest(texts) AS one)
$$`,
      `GRANT EXECUTE ON FUNCTION shared.spellings(text[]) TO ${callers}`,
    ],
    'DROP FUNCTION shared.spellings(text[])',
  ),
])
