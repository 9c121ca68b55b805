// The four subgraphs of a library: what they know is computed from ids, so that everybody who asks gets the same answer.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

// The product's own graphql and @apollo/subgraph.
const require = createRequire(new URL('../../package.json', import.meta.url))
const { parse } = require('graphql')
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

/** The executable schema of each subgraph, by name. */
export const schemas = Object.fromEntries(
  Object.entries(resolvers).map(([name, resolversOf]) => {
    const typeDefs = parse(readFileSync(new URL(`${name}.graphql`, import.meta.url), 'utf8'))
    return [name, buildSubgraphSchema([{ typeDefs, resolvers: resolversOf() }])]
  }),
)
