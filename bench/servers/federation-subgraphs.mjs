// Four subgraphs of a library on four ports. They answer from memory, and the same question with the same answer: what
// is measured is the gateway before them, not they.
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { given, serve } from './child.mjs'

// The product's own graphql and @apollo/subgraph.
const require = createRequire(new URL('../../package.json', import.meta.url))
const { execute, parse } = require('graphql')
const { buildSubgraphSchema } = require('@apollo/subgraph')

const bookCount = 60
const readerCount = 90
const book = (id) => ({ __typename: 'Book', id: String(id) })
const reader = (id) => ({ __typename: 'Reader', id: String(id) })
const rating = (id) => ({
  __typename: 'Rating',
  id: String(id),
  stars: (id % 5) + 1,
  text: `I read it twice, the second time slower (${id}). `.repeat(2),
  book: book(((id * 7) % bookCount) + 1),
  reader: reader(((id * 11) % readerCount) + 1),
})
const some = (from, step, first) => Array.from({ length: first }, (_, n) => rating(from * step + n))

const resolvers = {
  readers: () => {
    const full = ({ id }) => ({
      __typename: 'Reader',
      id,
      name: `Reader ${id}`,
      email: `reader${id}@library.example`,
      memberSince: 1990 + (Number(id) % 30),
    })
    return {
      Query: {
        readers: (_, { first }) => Array.from({ length: first }, (_, n) => full({ id: String(n + 1) })),
        reader: (_, { id }) => full({ id }),
      },
      Reader: { __resolveReference: full },
    }
  },
  catalogue: () => {
    const full = ({ id }) => ({
      __typename: 'Book',
      id,
      title: `The ${id}th book of the library`,
      pages: 100 + Number(id) * 3,
      price: 900 + Number(id) * 10,
      author: { name: `Author ${Number(id) % 17}`, country: `Country ${Number(id) % 9}` },
    })
    return {
      Query: {
        newBooks: (_, { first }) => Array.from({ length: first }, (_, n) => full({ id: String(n + 1) })),
      },
      Book: { __resolveReference: full },
    }
  },
  shelves: () => ({
    Book: {
      __resolveReference: (reference) => reference,
      available: ({ id }) => Number(id) % 3 > 0,
      shelf: ({ id }) => ({ room: `Room ${Number(id) % 4}`, number: Number(id) }),
      loanFee: ({ pages, price }) => pages + price / 10,
    },
  }),
  ratings: () => ({
    Book: {
      __resolveReference: (reference) => reference,
      ratings: ({ id }, { first }) => some(Number(id), 13, first),
    },
    Reader: {
      __resolveReference: (reference) => reference,
      ratings: ({ id }, { first }) => some(Number(id), 17, first),
    },
    Rating: { __resolveReference: ({ id }) => rating(Number(id)) },
  }),
}

let calls = 0
const at = {}
const { delayMs = 0 } = given
for (const [name, resolversOf] of Object.entries(resolvers)) {
  const file = new URL(`../federation/${name}.graphql`, import.meta.url)
  const schema = buildSubgraphSchema([
    { typeDefs: parse(readFileSync(file, 'utf8')), resolvers: resolversOf() },
  ])
  const answers = new Map()
  async function answer(body) {
    const known = answers.get(body)
    if (known) return known
    const { query, variables, operationName } = JSON.parse(body)
    const document = parse(query)
    const result = JSON.stringify(
      await execute({ schema, document, variableValues: variables, operationName, contextValue: {} }),
    )
    if (answers.size > 5_000) answers.clear()
    answers.set(body, result)
    return result
  }
  const server = createServer((request, response) => {
    calls += 1
    const chunks = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', async () => {
      const text = await answer(Buffer.concat(chunks).toString())
      const send = () => {
        response.writeHead(200, {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
        })
        response.end(text)
      }
      if (delayMs > 0) setTimeout(send, delayMs)
      else send()
    })
  })
  server.keepAliveTimeout = 60_000
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  at[name] = `http://127.0.0.1:${server.address().port}/graphql`
}
serve(at, { counts: () => ({ calls, statements: 0 }) })
