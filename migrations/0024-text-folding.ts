import { applicationRoles, migration, sql } from './sql'

/**
 * Texts without case and accents, for searches: `kernel/reading/folded.ts` does the same to what is searched for. One
 * SELECT, so that PostgreSQL writes it into the statement; texts of ASCII alone, which most are, take the short way.
 */
export const textFolding = migration(24, 'text-folding', [
  sql(
    [
      `CREATE FUNCTION shared.folded(t text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN octet_length(t) = length(t) THEN lower(t COLLATE "C") ELSE
    (replace(replace(replace(translate(
      regexp_replace(normalize(lower(t COLLATE "und-x-icu"), NFD), '[\\u0300-\\u036f]', '', 'g'),
      'øłđħŧıς', 'oldhtiσ'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe')) COLLATE "C" END
$$`,
      `GRANT EXECUTE ON FUNCTION shared.folded(text) TO ${applicationRoles.join(', ')}`,
    ],
    'DROP FUNCTION shared.folded(text)',
  ),
])
