import { Client } from 'pg'
import { passages } from '../../kernel/searching/highlight'
import { parseSearch } from '../../kernel/searching/search-query'
import { freshDatabase, type TestDatabase } from '../support/postgres'

/** I2, I4: what a text is found by, in languages other than English too. */
let database: TestDatabase
let client: Client

beforeAll(async () => {
  database = await freshDatabase()
  client = new Client({ connectionString: database.migratorUrl })
  await client.connect()
})
afterAll(async () => {
  await client.end()
  await database.drop()
})

const value = async (text: string, values: unknown[]) =>
  (await client.query<unknown[]>({ text, values, rowMode: 'array' })).rows[0]![0]

const isFound = (language: string, content: string, query: string) =>
  value('SELECT shared.search_words($1, $2) @@ shared.search_query($3::jsonb)', [
    ...[language, content, JSON.stringify(parseSearch(query))],
  ])

const rank = (content: string, query: string) =>
  value('SELECT ts_rank_cd(shared.search_words($1, $2), shared.search_query($3::jsonb), 1)', [
    ...['en', content, JSON.stringify(parseSearch(query))],
  ])

const service = '担当者の対応がとても丁寧でした。配送も早い。'

test.each<[string, string, string, boolean]>([
  ['de', 'Zwei Lieferungen kamen zu spät', 'Lieferung', true],
  ['de', 'Die Häuser sind verkauft', 'Haus', true],
  ['de', 'Zwei Lieferungen kamen zu spät', 'spat', true],
  ['de', 'Die Straße ist gesperrt', 'strasse', true],
  ['fr', 'Les chevaux mangent', 'cheval', true],
  ['fr', 'Un café noir', 'cafe', true],
  ['fr', 'Un cafe noir', 'café', true],
  ['es', 'Las canciones nuevas', 'canción', true],
  ['ru', 'Доставка задержалась', 'доставки', true],
  ['tr', 'Kitaplar geldi', 'kitap', true],
  ['sv', 'Herr Åkesson ringde', 'akesson', true],
  ['xx', 'Zwei Lieferungen kamen', 'liefer', true],
  ['ja', service, '配送', true],
  ['ja', service, '担当者', true],
  ['ja', service, '丁寧', true],
  ['ja', service, '早', true],
  ['ja', service, '配達', false],
  ['zh', '我的iPhone配送太慢', 'iphone配送', true],
  ['th', 'การจัดส่งล่าช้า', 'จัดส่ง', true],
  ['ko', '배송이 늦었어요', '배송', true],
  ['en', 'write to ann@example.com', 'ann', true],
  ['en', 'write to ann@example.com', 'ann@example.com', true],
  ['en', 'the delivery was late', 'deliv', true],
  ['en', 'the delivery was late', '"was late"', true],
  ['en', 'the delivery was late', '"late was"', false],
  ['en', 'the delivery was late', 'early or late', true],
  ['en', 'the delivery was late', 'delivery -late', false],
  ['en', 'an article', 'an -art', true],
  ['en', 'case T-1042 again', 't-1042', true],
  ['en', 'nothing of it', 'de', false],
])('%s: %s is found by %s: %s', async (language, content, query, found) => {
  expect(await isFound(language, content, query)).toBe(found)
})

test('a short text in which the words are ranks above a long one, and each is above nothing', async () => {
  const short = (await rank('late delivery', 'late delivery')) as number
  const long = (await rank(`late delivery ${'and other things '.repeat(200)}`, 'late delivery')) as number
  expect(short).toBeGreaterThan(long)
  expect(long).toBeGreaterThan(0)
})

test.each([
  ['', 'query: give 1 to 200 characters'],
  ['"late', 'query: a quotation mark is open: close it, or leave it out'],
  ['-late', 'query: give a word that must be there'],
  ['late or -early', 'query: each alternative needs a word that must be there'],
  ['late or', 'query: each alternative needs a word that must be there'],
  ["& | ! ' :*", 'query: give a word that must be there'],
  ['a '.repeat(21), 'query: give 20 words at most'],
])('%j is refused', (query, message) => {
  expect(() => parseSearch(query)).toThrow(message)
})

test('passages show what was found without accents and spaces, as text', () => {
  expect(passages('irrelevant', 'Un <café> noir', parseSearch('cafe'))).toBe(
    'Un &lt;<mark>café</mark>&gt; noir',
  )
  expect(passages('irrelevant', service, parseSearch('配送'))).toBe(
    '担当者の対応がとても丁寧でした。<mark>配送</mark>も早い。',
  )
  expect(passages('irrelevant', 'Die Straße hier', parseSearch('strasse'))).toBe(
    'Die <mark>Straße</mark> hier',
  )
  expect(passages('Nothing here', 'Nothing here', parseSearch('else'))).toBe('Nothing here')
})
