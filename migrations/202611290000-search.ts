import { lookupFunction } from './lookup'
import { lookupRole, migration, sql, subgraphRoles } from './sql'

/** Languages whose forms of words PostgreSQL knows, by their codes of ISO 639-1. Others are searched word by word. */
const languages = {
  ...{ ar: 'arabic', da: 'danish', de: 'german', el: 'greek', en: 'english', es: 'spanish', fi: 'finnish' },
  ...{ fr: 'french', hu: 'hungarian', it: 'italian', nl: 'dutch', no: 'norwegian', pt: 'portuguese' },
  ...{ ro: 'romanian', ru: 'russian', sv: 'swedish', tr: 'turkish' },
}
const configurations = Object.entries(languages)
  .map(([code, name]) => `WHEN '${code}' THEN 'pg_catalog.${name}'::regconfig`)
  .join(' ')
const codes = Object.keys(languages).map((code) => `'${code}'`)

/** As `kernel/searching/search-query.ts` has them. */
const unspaced = String.raw`\u0e00-\u0eff\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af`

const words = (language: string) => `
  ADD COLUMN words tsvector GENERATED ALWAYS AS (${language}) STORED`

const findInteractions = (rank: string, wanted: string) => `
#variable_conflict use_column
DECLARE own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  RETURN QUERY
    SELECT found.id, found.rank FROM (
      SELECT i.id, ${rank} AS rank
        FROM insights.customer_interactions i, ${wanted} AS wanted
       WHERE i.tenant_id = own AND i.words @@ wanted
         AND (only_customer IS NULL OR i.customer_id = only_customer)
         AND (only_channels IS NULL OR i.channel = ANY (only_channels))
         AND (since IS NULL OR i.occurred_at >= since) AND (until IS NULL OR i.occurred_at < until)
         AND (least_sentiment IS NULL OR i.sentiment >= least_sentiment)
         AND (most_sentiment IS NULL OR i.sentiment <= most_sentiment)
    ) found
    WHERE after_id IS NULL OR (found.rank, found.id) < (after_rank, after_id)
    ORDER BY found.rank DESC, found.id DESC LIMIT most;
END`

const searchInteractions = (type: string, rank: string, wanted: string) =>
  lookupFunction({
    name: 'insights.search_interactions',
    parameters: `query ${type}, only_customer uuid, only_channels text[], since timestamptz, until timestamptz,
      least_sentiment double precision, most_sentiment double precision, after_rank real, after_id uuid, most int`,
    returns: 'TABLE (id uuid, rank real)',
    rows: 20,
    body: findInteractions(rank, wanted),
    reads: {
      'insights.customer_interactions': [
        ...['tenant_id', 'id', 'customer_id', 'channel', 'occurred_at', 'sentiment', 'words'],
      ],
    },
    callers: ['app_insights'],
  })

const before = searchInteractions(
  'text',
  'ts_rank_cd(i.words, wanted)',
  "websearch_to_tsquery('pg_catalog.english', query)",
)
const after = searchInteractions(
  'jsonb',
  '(ts_rank_cd(i.words, wanted, 1) + ts_rank(i.words, wanted, 1) / 10)::real',
  'shared.search_query(query)',
)

const onInteractions = 'ALTER TABLE insights.customer_interactions'
const indexed = 'CREATE INDEX ON insights.customer_interactions USING gin (tenant_id, words)'

/** Full-text search in the language of each text, without accents, by the beginnings of words, and in scripts without spaces. */
export const search = migration(202611290000, 'search', [
  sql(
    [
      `CREATE FUNCTION shared.search_config(language text) RETURNS regconfig LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE language ${configurations} ELSE 'pg_catalog.simple'::regconfig END $$`,

      // Pairs of letters that stand side by side, and the last one alone: whatever is looked for begins one of them.
      `CREATE FUNCTION shared.search_letters(letters text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT array_agg(substr(run[1], place, 2)) FROM regexp_matches(letters, '[${unspaced}]+', 'g') AS run,
    generate_series(1, length(run[1])) AS place $$`,

      // What a text is found by: its words without accents, their forms in its language, and pairs of unspaced letters.
      `CREATE FUNCTION shared.search_words(language text, content text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  letters tsvector := '';
  spaced text := content;
BEGIN
  IF content IS NULL THEN
    RETURN '';
  END IF;
  IF content ~ '[${unspaced}]' THEN
    letters := pg_catalog.array_to_tsvector(shared.search_letters(normalize(content, NFKC)));
    spaced := pg_catalog.regexp_replace(content, '[${unspaced}]+', ' ', 'g');
  END IF;
  RETURN pg_catalog.to_tsvector('pg_catalog.simple', shared.folded(spaced))
    || pg_catalog.to_tsvector(shared.search_config(language), spaced) || letters;
END $$`,

      // A query that finds what search_words made. Groups are alternatives; of a word its beginning and its forms count.
      `CREATE FUNCTION shared.search_query(groups jsonb) RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  one_group jsonb;
  term jsonb;
  plain text;
  one tsquery;
  stem tsquery;
  whole tsquery;
  found tsquery;
  code text;
BEGIN
  FOR one_group IN SELECT pg_catalog.jsonb_array_elements(groups) LOOP
    whole := NULL;
    FOR term IN SELECT pg_catalog.jsonb_array_elements(one_group) LOOP
      IF term ? 'phrase' THEN
        one := pg_catalog.phraseto_tsquery('pg_catalog.simple', shared.folded(term ->> 'phrase'));
      ELSIF term ? 'letters' THEN
        plain := normalize(term ->> 'letters', NFKC);
        SELECT pg_catalog.string_agg(pg_catalog.quote_literal(pair) || ':*', ' & ')::tsquery INTO one
          FROM pg_catalog.unnest(shared.search_letters(plain)) AS pair
         WHERE pg_catalog.length(pair) = 2 OR pg_catalog.length(plain) = 1;
      ELSE
        plain := shared.folded(term ->> 'word');
        one := pg_catalog.plainto_tsquery('pg_catalog.simple', plain);
        IF pg_catalog.length(plain) >= 3 AND plain ~ '^[[:alnum:]]+$' AND NOT term ? 'not' THEN
          one := one || (pg_catalog.quote_literal(plain) || ':*')::tsquery;
        END IF;
        FOREACH code IN ARRAY ARRAY[${codes.join(', ')}] LOOP
          stem := pg_catalog.plainto_tsquery(shared.search_config(code), term ->> 'word');
          IF pg_catalog.numnode(stem) > 0 AND NOT one::text LIKE '%' || stem::text || '%' THEN
            one := one || stem;
          END IF;
        END LOOP;
      END IF;
      IF term ? 'not' THEN
        one := !! one;
      END IF;
      whole := coalesce(whole && one, one);
    END LOOP;
    found := coalesce(found || whole, whole);
  END LOOP;
  RETURN found;
END $$`,
      ...[
        'search_config(text)',
        'search_words(text, text)',
        'search_letters(text)',
        'search_query(jsonb)',
      ].map(
        (name) => `GRANT EXECUTE ON FUNCTION shared.${name} TO ${[...subgraphRoles, lookupRole].join(', ')}`,
      ),
      `GRANT EXECUTE ON FUNCTION shared.folded(text) TO ${lookupRole}`,
    ],
    [
      `REVOKE EXECUTE ON FUNCTION shared.folded(text) FROM ${lookupRole}`,
      ...[
        'search_query(jsonb)',
        'search_words(text, text)',
        'search_letters(text)',
        'search_config(text)',
      ].map((name) => `DROP FUNCTION shared.${name}`),
    ],
  ),
  sql(before.down, before.up),
  sql(
    [
      `${onInteractions} DROP COLUMN words`,
      `${onInteractions} ADD COLUMN language text NOT NULL DEFAULT 'en'
        CONSTRAINT customer_interactions_language_check CHECK (language ~ '^[a-z]{2}$'),
        ${words('shared.search_words(language, content)')}`,
      indexed,
    ],
    [
      `${onInteractions} DROP COLUMN words, DROP COLUMN language`,
      `${onInteractions} ${words("to_tsvector('pg_catalog.english', coalesce(content, ''))")}`,
      indexed,
    ],
  ),
  after,
])
