import { remoteDataSource, forwardedHeaders } from '../../gateway/subgraphs/remote'
import { anonymous } from '../../gateway/operations/viewer'
import { serveSubgraphs, type AuditSubgraph } from './audit'
import { memoryLog, startTestGateway } from './fixtures/start'

/**
 * What a test of the federation specification asks of a gateway (the suites of the public federation gateway audit), each
 * over HTTP subgraphs that validate what they are asked.
 */
interface Case {
  subgraphs: Record<string, AuditSubgraph>
  /** Operations with their data, and the paths of the errors. */
  asks: [query: string, data: unknown, errors?: string[]][]
}

const row =
  <T extends object>(rows: readonly T[], ...keys: (keyof T)[]) =>
  (told: Partial<T>) =>
    rows.find((one) => keys.some((key) => told[key] !== undefined && one[key] === told[key])) ?? null

const products = [
  { id: '1', pid: 'p1', upc: 'u1', name: 'One', price: 10, weight: 2, category: { id: 'c1', tag: 't1' } },
  { id: '2', pid: 'p2', upc: 'u2', name: 'Two', price: 20, weight: 3, category: { id: 'c2', tag: 't2' } },
]
const [one] = products as [(typeof products)[number]]

const cases: Record<string, Case> = {
  'simple-entity-call': {
    subgraphs: {
      a: {
        typeDefs: 'type Query { user: User } type User @key(fields: "id") { id: ID! }',
        resolvers: { Query: { user: () => ({ id: '1' }) } },
      },
      b: {
        typeDefs: 'type User @key(fields: "email") { email: String! @external nickname: String! }',
        resolvers: {
          User: { __resolveReference: ({ email }: { email: string }) => ({ email, nickname: `n ${email}` }) },
        },
      },
      c: {
        typeDefs: 'type User @key(fields: "id") @key(fields: "email") { id: ID! email: String! @shareable }',
        resolvers: { User: { __resolveReference: () => ({ id: '1', email: 'a@b' }) } },
      },
    },
    asks: [['{ user { id nickname } }', { user: { id: '1', nickname: 'n a@b' } }]],
  },
  'complex-entity-call': {
    subgraphs: {
      products: {
        typeDefs: `type Query { top: List! } type List @key(fields: "products { id pid }") { products: [Product!]! first: Product @shareable }
          type Product @key(fields: "id pid") { id: ID! pid: ID! }`,
        resolvers: {
          Query: { top: () => ({ products: products.map(({ id, pid }) => ({ id, pid })) }) },
          List: { first: () => one },
        },
      },
      links: {
        typeDefs: 'type Product @key(fields: "id") @key(fields: "id pid") { id: ID! pid: ID! @shareable }',
        resolvers: { Product: { __resolveReference: row(products, 'id') } },
      },
      prices: {
        typeDefs: `type List @key(fields: "products { id pid category { id tag } }") { products: [Product!]! selected: Product @shareable }
          type Product @key(fields: "id pid category { id tag }") { id: ID! pid: ID! category: Category! @shareable price: Int }
          type Category @shareable { id: ID! tag: String }`,
        resolvers: {
          Product: { __resolveReference: row(products, 'id') },
          List: {
            __resolveReference: (list: object) => list,
            products: (list: { products: typeof products }) => list.products.map(row(products, 'id')),
            selected: () => products[1],
          },
        },
      },
      categories: {
        typeDefs: `type Product @key(fields: "id") { id: ID! category: Category! @shareable name: String }
          type Category @shareable { id: ID! tag: String }`,
        resolvers: { Product: { __resolveReference: row(products, 'id') } },
      },
    },
    asks: [
      [
        '{ top { products { id name price category { tag } } selected { id price } first { id } } }',
        {
          top: {
            products: products.map(({ id, name, price, category: { tag } }) => ({
              id,
              name,
              price,
              category: { tag },
            })),
            selected: { id: '2', price: 20 },
            first: { id: '1' },
          },
        },
      ],
    ],
  },
  'mixed keys': {
    subgraphs: {
      a: {
        typeDefs: 'type Query { a: P } type P @key(fields: "id") { id: ID! }',
        resolvers: { Query: { a: () => ({ id: '1' }) } },
      },
      b: {
        typeDefs: 'type P @key(fields: "id") @key(fields: "id pid") { id: ID! pid: ID }',
        resolvers: { P: { __resolveReference: row(products, 'id') } },
      },
      c: {
        typeDefs:
          'type P @key(fields: "id pid") @key(fields: "upc") { id: ID! pid: ID upc: ID! weight: Int }',
        resolvers: { P: { __resolveReference: row(products, 'upc', 'pid') } },
      },
      d: {
        typeDefs: `type Query { d: P } type P @key(fields: "upc") @key(fields: "category { id tag }") { upc: ID! price: Int category: C }
          type C { id: ID! tag: String }`,
        resolvers: { Query: { d: () => products[1] }, P: { __resolveReference: row(products, 'upc') } },
      },
      e: {
        typeDefs: `type P @key(fields: "category { id tag }") { category: C name: String }
          type C @shareable { id: ID! tag: String }`,
        resolvers: {
          P: {
            __resolveReference: ({ category }: (typeof products)[number]) =>
              products.find((p) => p.category.id === category.id),
          },
        },
      },
    },
    asks: [
      ['{ a { id weight price name } }', { a: { id: '1', weight: 2, price: 10, name: 'One' } }],
      [
        '{ d { id weight price name pid } }',
        { d: { id: '2', weight: 3, price: 20, name: 'Two', pid: 'p2' } },
      ],
    ],
  },
  'keys-mashup': {
    subgraphs: {
      a: {
        typeDefs: `type A @key(fields: "id") @key(fields: "pId") @key(fields: "compositeId { one two three }") @key(fields: "id compositeId { two three }") {
          id: ID! pId: ID! compositeId: Composite! name: String! } type Composite @shareable { one: ID! two: ID! three: ID! }`,
        resolvers: {
          A: {
            __resolveReference: () => ({
              id: '1',
              pId: 'a.pId',
              compositeId: { one: 'a1', two: 'a2', three: 'a3' },
              name: 'a.1',
            }),
          },
        },
      },
      b: {
        typeDefs: `type Query { b: B } type B @key(fields: "id") { id: ID! a: [A!]! }
          type A @key(fields: "id compositeId { two three }") { id: ID! compositeId: Composite! nameInB: String! @requires(fields: "name") name: String! @external }
          type Composite @shareable { two: ID! three: ID! }`,
        resolvers: {
          Query: { b: () => ({ id: '100', a: [{ id: '1', compositeId: { two: 'a2', three: 'a3' } }] }) },
          A: {
            __resolveReference: ({ name, ...rest }: { name?: string }) => ({
              ...rest,
              nameInB: `b.a.nameInB ${String(name)}`,
            }),
          },
        },
      },
    },
    asks: [
      [
        '{ b { id a { id name nameInB } } }',
        { b: { id: '100', a: [{ id: '1', name: 'a.1', nameInB: 'b.a.nameInB a.1' }] } },
      ],
      [
        '{ b { a { compositeId { one two } nameInB } } }',
        { b: { a: [{ compositeId: { one: 'a1', two: 'a2' }, nameInB: 'b.a.nameInB a.1' }] } },
      ],
    ],
  },
  'null-keys': {
    subgraphs: {
      a: {
        typeDefs:
          'type Query { all: [Holder!]! } type Holder { book: Book } type Book @key(fields: "upc") { upc: ID! }',
        resolvers: { Query: { all: () => ['b1', 'b2', 'b3'].map((upc) => ({ book: { upc } })) } },
      },
      b: {
        typeDefs: 'type Book @key(fields: "id") @key(fields: "upc") { id: ID upc: ID! }',
        resolvers: {
          Book: {
            __resolveReference: ({ upc }: { upc: string }) =>
              upc === 'b3' ? null : { upc, id: upc === 'b2' ? null : 'x1' },
          },
        },
      },
      c: {
        typeDefs: 'type Book @key(fields: "id") { id: ID author: Author } type Author { name: String }',
        resolvers: {
          Book: {
            __resolveReference: ({ id }: { id: string | null }) =>
              id ? { id, author: { name: `of ${id}` } } : null,
          },
        },
      },
    },
    asks: [
      [
        '{ all { book { upc author { name } } } }',
        {
          all: [
            { book: { upc: 'b1', author: { name: 'of x1' } } },
            { book: { upc: 'b2', author: null } },
            { book: { upc: 'b3', author: null } },
          ],
        },
      ],
    ],
  },
  'requires-with-argument-conflict, requires-with-argument': {
    subgraphs: {
      catalog: {
        typeDefs: `type Query { products: [Product!]! } enum Currency { EUR USD }
          type Product @key(fields: "upc") { upc: ID! price(currency: Currency!): Int weight: Int comments(limit: Int!): [Comment!]! category: Cat }
          type Comment @key(fields: "id") { id: ID! } type Cat { average(currency: Currency): Int }`,
        resolvers: {
          Query: {
            products: () => products.map(({ category: _, ...product }) => ({ ...product, category: {} })),
          },
          Product: {
            __resolveReference: row(products, 'upc'),
            price: ({ price }: { price: number }, { currency }: { currency: string }) =>
              currency === 'USD' ? price * 2 : price,
            comments: (_: unknown, { limit }: { limit: number }) =>
              Array.from({ length: limit }, (__, n) => ({ id: `c${n}` })),
            category: () => ({}),
          },
          Cat: {
            average: (_: unknown, { currency }: { currency: string }) => (currency === 'USD' ? 22 : 11),
          },
        },
      },
      inventory: {
        typeDefs: `enum Currency { EUR USD }
          type Product @key(fields: "upc") {
            upc: ID!
            price(currency: Currency!): Int @external
            weight: Int @external
            comments(limit: Int!): [Comment!]! @external
            category: Cat @external
            usd: Int @requires(fields: "price(currency: USD) weight")
            eur(factor: Int = 1): Int @requires(fields: "price(currency: EUR) weight")
            three: Int @requires(fields: "comments(limit: 3) { id }")
            one: Int @requires(fields: "comments(limit: 1) { id }")
            averageUsd: Int @requires(fields: "category { average(currency: USD) }")
            averageEur: Int @requires(fields: "category { average(currency: EUR) }")
            plain: String
          }
          type Comment @key(fields: "id") { id: ID! @external } type Cat { average(currency: Currency): Int @external }`,
        resolvers: {
          Product: {
            __resolveReference: (told: object) => told,
            usd: ({ price, weight }: typeof one) => price * 100 + weight,
            eur: ({ price, weight }: typeof one, { factor }: { factor: number }) =>
              factor * (price * 100 + weight),
            three: ({ comments }: { comments: unknown[] }) => comments.length,
            one: ({ comments }: { comments: unknown[] }) => comments.length,
            averageUsd: ({ category }: { category: { average: number } }) => category.average,
            averageEur: ({ category }: { category: { average: number } }) => category.average,
            plain: () => 'plain',
          },
        },
      },
    },
    asks: [
      [
        '{ products { usd eur plain } }',
        {
          products: [
            { usd: 2002, eur: 1002, plain: 'plain' },
            { usd: 4003, eur: 2003, plain: 'plain' },
          ],
        },
      ],
      [
        '{ products { one three } }',
        {
          products: [
            { one: 1, three: 3 },
            { one: 1, three: 3 },
          ],
        },
      ],
      [
        'query ($f: Int = 2) { products { price(currency: USD) eur(factor: $f) usd comments(limit: 2) { id } one averageUsd averageEur } }',
        {
          products: [
            {
              price: 20,
              eur: 2004,
              usd: 2002,
              comments: [{ id: 'c0' }, { id: 'c1' }],
              one: 1,
              averageUsd: 22,
              averageEur: 11,
            },
            {
              price: 40,
              eur: 4006,
              usd: 4003,
              comments: [{ id: 'c0' }, { id: 'c1' }],
              one: 1,
              averageUsd: 22,
              averageEur: 11,
            },
          ],
        },
      ],
    ],
  },
  'mysterious-external, requires-requires': {
    subgraphs: {
      price: {
        typeDefs: 'type Product @key(fields: "id") { id: ID! price: Float }',
        resolvers: { Product: { __resolveReference: row(products, 'id') } },
      },
      products: {
        typeDefs: `type Query { product: Product } type Product @key(fields: "id") { id: ID! price: Float @external name: String
          dear: Boolean @requires(fields: "price") }`,
        resolvers: {
          Query: { product: () => one },
          Product: {
            __resolveReference: (told: object) => told,
            dear: ({ price }: typeof one) => price > 5,
            name: () => 'One',
          },
        },
      },
      shop: {
        typeDefs:
          'type Product @key(fields: "id") { id: ID! price: Float @external dear: Boolean @external canAfford: Boolean @requires(fields: "dear") delivered: Boolean @requires(fields: "dear price") }',
        resolvers: {
          Product: {
            __resolveReference: (told: object) => told,
            canAfford: ({ dear }: { dear: boolean }) => !dear,
            delivered: ({ dear, price }: { dear: boolean; price: number }) => dear && price < 50,
          },
        },
      },
    },
    asks: [
      ['{ product { id name } }', { product: { id: '1', name: 'One' } }],
      ['{ product { name price canAfford } }', { product: { name: 'One', price: 10, canAfford: false } }],
      [
        '{ product { canAfford dear delivered } }',
        { product: { canAfford: false, dear: true, delivered: true } },
      ],
    ],
  },
  'provides, nested-provides, provides-on-interface, provides-on-union': {
    subgraphs: {
      a: {
        typeDefs: `type Query { products: [Product] @provides(fields: "categories { id name }") media: Media @provides(fields: "animals { name }") found: [Found] @provides(fields: "... on Book { title }") }
          type Product @key(fields: "id") { id: ID! categories: [Category!] @external }
          type Category @key(fields: "id") { id: ID! name: String @external }
          interface Media { id: ID! animals: [Animal] } interface Animal { id: ID! name: String }
          union Found = Book
          type Book implements Media @key(fields: "id") { id: ID! title: String @external animals: [Animal] @external }
          type Dog implements Animal @key(fields: "id") { id: ID! name: String @external }`,
        resolvers: {
          Query: {
            products: () => [{ id: 'p1', categories: [{ id: 'c1', name: 'Cat' }] }],
            media: () => ({
              __typename: 'Book',
              id: 'm1',
              animals: [{ __typename: 'Dog', id: 'd1', name: 'Fido' }],
            }),
            found: () => [{ __typename: 'Book', id: 'm1', title: 'Book!' }],
          },
        },
      },
      b: {
        typeDefs: `type Product @key(fields: "id") { id: ID! categories: [Category!] @shareable subCategories: [Category!] } type Category @key(fields: "id") { id: ID! name: String @shareable }
          interface Media { id: ID! animals: [Animal] } interface Animal { id: ID! name: String }
          type Book implements Media @key(fields: "id") { id: ID! title: String @shareable animals: [Animal] @shareable }
          type Dog implements Animal @key(fields: "id") { id: ID! name: String @shareable age: Int }`,
        resolvers: {
          Product: {
            __resolveReference: () => ({
              id: 'p1',
              categories: [],
              subCategories: [{ id: 'c2', name: 'Sub' }],
            }),
          },
          Dog: { __resolveReference: () => ({ id: 'd1', name: 'Fido', age: 3 }) },
        },
      },
    },
    asks: [
      [
        '{ products { id categories { id name } subCategories { name } } }',
        {
          products: [{ id: 'p1', categories: [{ id: 'c1', name: 'Cat' }], subCategories: [{ name: 'Sub' }] }],
        },
      ],
      [
        '{ media { id animals { id name } } }',
        { media: { id: 'm1', animals: [{ id: 'd1', name: 'Fido' }] } },
      ],
      [
        '{ media { animals { ... on Dog { name age } } } }',
        { media: { animals: [{ name: 'Fido', age: 3 }] } },
      ],
      ['{ found { ... on Book { title } } }', { found: [{ title: 'Book!' }] }],
    ],
  },
  'union-intersection, union-interface-distributed, abstract-types, typename': {
    subgraphs: {
      a: {
        typeDefs: `type Query { media: Media node: [Node] @shareable } union Media = Book | Movie interface Node { id: ID! }
          type Book implements Node @key(fields: "id") { id: ID! title: String @shareable }
          type Movie implements Node @key(fields: "id") { id: ID! title: String @shareable }`,
        resolvers: {
          Query: {
            media: () => ({ __typename: 'Book', id: 'b1', title: 'T' }),
            node: () => [
              { __typename: 'Book', id: 'b1', title: 'T' },
              { __typename: 'Movie', id: 'm1', title: 'M' },
            ],
          },
        },
      },
      b: {
        typeDefs: `type Query { other: Media } union Media = Book | Song
          type Book @key(fields: "id") { id: ID! title: String @shareable pages: Int } type Song { title: String }`,
        resolvers: {
          Query: { other: () => ({ __typename: 'Song', title: 'S' }) },
          Book: { __resolveReference: () => ({ id: 'b1', pages: 7 }) },
        },
      },
    },
    asks: [
      [
        '{ __typename media { __typename ... on Book { title pages } ... on Song { title } ... on Movie { title } } }',
        { __typename: 'Query', media: { __typename: 'Book', title: 'T', pages: 7 } },
      ],
      [
        '{ other { t: __typename ... on Movie { title } ... on Song { title } } }',
        { other: { t: 'Song', title: 'S' } },
      ],
      [
        '{ node { id __typename ... on Node { id } ... on Book { pages } } }',
        {
          node: [
            { id: 'b1', __typename: 'Book', pages: 7 },
            { id: 'm1', __typename: 'Movie' },
          ],
        },
      ],
    ],
  },
  'simple-interface-object, interface-object-with-requires, interface-object-indirect-extension': {
    subgraphs: {
      a: {
        typeDefs: `type Query { users: [Named!]! } interface Named @key(fields: "id") { id: ID! name: String! }
          type User implements Named @key(fields: "id") { id: ID! name: String! age: Int }
          type Admin implements Named @key(fields: "id") { id: ID! name: String! rank: Int }`,
        resolvers: {
          Query: { users: () => [{ __typename: 'User', id: 'u1', name: 'Ann', age: 4 }] },
          Named: {
            __resolveReference: ({ id }: { id: string }) =>
              id === 'u1'
                ? { __typename: 'User', id, name: 'Ann', age: 4 }
                : id === 'a1'
                  ? { __typename: 'Admin', id, name: 'Adm', rank: 9 }
                  : null,
          },
          User: { __resolveReference: ({ id }: { id: string }) => ({ id, name: 'Ann', age: 4 }) },
        },
      },
      b: {
        typeDefs: `type Query { anyone: [Named] } type Named @key(fields: "id") @interfaceObject { id: ID! name: String! @external handle: String! @requires(fields: "name") score: Int }`,
        resolvers: {
          Query: { anyone: () => ['u1', 'a1', 'gone'].map((id) => ({ id })) },
          Named: {
            __resolveReference: (told: object) => told,
            handle: ({ name }: { name: string }) => `@${name}`,
            score: () => 5,
          },
        },
      },
    },
    asks: [
      [
        '{ users { id handle score ... on User { age } } }',
        { users: [{ id: 'u1', handle: '@Ann', score: 5, age: 4 }] },
      ],
      [
        '{ anyone { id score } }',
        {
          anyone: [
            { id: 'u1', score: 5 },
            { id: 'a1', score: 5 },
            { id: 'gone', score: 5 },
          ],
        },
      ],
      [
        '{ anyone { __typename name ... on Admin { rank } } }',
        {
          anyone: [{ __typename: 'User', name: 'Ann' }, { __typename: 'Admin', name: 'Adm', rank: 9 }, null],
        },
        ['anyone.2'],
      ],
      [
        '{ anyone { id ... on User { age } } }',
        { anyone: [{ id: 'u1', age: 4 }, { id: 'a1' }, null] },
        ['anyone.2'],
      ],
      [
        '{ anyone { id name } }',
        { anyone: [{ id: 'u1', name: 'Ann' }, { id: 'a1', name: 'Adm' }, null] },
        ['anyone.2.name'],
      ],
    ],
  },
  'fed1-external-extends, fed1-external-extension': {
    subgraphs: {
      a: {
        typeDefs:
          '#fed1\ntype Query { user: User } extend type User @key(fields: "id") { id: ID! @external name: String @external greeting: String @requires(fields: "name") }',
        resolvers: {
          Query: { user: () => ({ id: 'u1' }) },
          User: {
            __resolveReference: (told: object) => told,
            greeting: ({ name }: { name: string }) => `Hi ${name}`,
          },
        },
      },
      b: {
        typeDefs: '#fed1\ntype User @key(fields: "id") { id: ID! name: String }',
        resolvers: { User: { __resolveReference: () => ({ id: 'u1', name: 'Ann' }) } },
      },
    },
    asks: [['{ user { id name greeting } }', { user: { id: 'u1', name: 'Ann', greeting: 'Hi Ann' } }]],
  },
  'include-skip': {
    subgraphs: {
      a: {
        typeDefs: 'type Query { product: Product } type Product @key(fields: "id") { id: ID! price: Int }',
        resolvers: { Query: { product: () => one }, Product: { __resolveReference: row(products, 'id') } },
      },
      b: {
        typeDefs: `type Product @key(fields: "id") { id: ID! price: Int @external dear: Boolean @requires(fields: "price") never: Boolean @requires(fields: "price") }`,
        resolvers: {
          Product: {
            __resolveReference: (told: object) => told,
            dear: ({ price }: typeof one) => price > 5,
            never: () => {
              throw new Error('asked')
            },
          },
        },
      },
    },
    asks: [
      [
        'query ($yes: Boolean = true) { product { price dear @include(if: $yes) never @skip(if: $yes) } }',
        { product: { price: 10, dear: true } },
      ],
      [
        'query ($no: Boolean = false) { product { id ... @include(if: $no) { never } } }',
        { product: { id: '1' } },
      ],
      ['{ product @include(if: true) { id never @include(if: false) } }', { product: { id: '1' } }],
    ],
  },
  'enum-intersection, input-object-intersection, inaccessible values': {
    subgraphs: {
      a: {
        typeDefs: `type Query { user(by: By): User names: [Kind] } input By { id: ID only: Int } type User @key(fields: "id") { id: ID! kind: Kind }
          enum Kind { A B @inaccessible }`,
        resolvers: {
          Query: {
            user: (_: unknown, { by }: { by?: { id?: string } }) => ({ id: by?.id ?? 'x', kind: 'A' }),
            names: () => ['A', 'B'],
          },
        },
      },
      b: {
        typeDefs: `type Query { u(by: By): User hidden: User } input By { id: ID } type User @key(fields: "id") { id: ID! }`,
        resolvers: {
          Query: { u: (_: unknown, { by }: { by: { id: string } }) => by, hidden: () => ({ id: 'h' }) },
        },
      },
    },
    asks: [
      [
        '{ user(by: { id: "7" }) { id kind } u(by: { id: "8" }) { id } }',
        { user: { id: '7', kind: 'A' }, u: { id: '8' } },
      ],
      ['{ names }', { names: ['A', null] }, ['names.1']],
    ],
  },
  'override, shared-root, parent-entity-call': {
    subgraphs: {
      a: {
        typeDefs: `type Query { post: Post shared: Shared! @shareable } type Post @key(fields: "id") { id: ID! at: String } type Shared @shareable { id: ID! }
          type Cat @key(fields: "id") { id: ID! details: Details @shareable } type Details @shareable { a: Int }`,
        resolvers: {
          Query: { post: () => ({ id: 'p', at: 'old' }), shared: () => ({ id: 's' }) },
          Cat: { __resolveReference: () => ({ id: 'c', details: { a: 1 } }) },
        },
      },
      b: {
        typeDefs: `type Query { cat: Cat shared: Shared! @shareable } type Post @key(fields: "id") { id: ID! at: String @override(from: "a") }
          type Shared { id: ID! @shareable name: String price: Int } type Cat @key(fields: "id") { id: ID! details: Details @shareable } type Details { b: Int }`,
        resolvers: {
          Query: {
            cat: () => ({ id: 'c', details: { b: 2 } }),
            shared: () => ({ id: 's', name: 'N', price: 3 }),
          },
          Post: { __resolveReference: () => ({ id: 'p', at: 'new' }) },
          Cat: { __resolveReference: () => ({ id: 'c', details: { b: 2 } }) },
        },
      },
    },
    asks: [
      [
        '{ post { at } shared { id name price } }',
        { post: { at: 'new' }, shared: { id: 's', name: 'N', price: 3 } },
      ],
      ['{ cat { details { a b } } }', { cat: { details: { a: 1, b: 2 } } }],
    ],
  },
  'child-type-mismatch, circular-reference-interface': {
    subgraphs: {
      a: {
        typeDefs: `type Query { users: [User!]! product: Product } union Account = User | Admin type User @key(fields: "id") { id: ID name: String similar: [Account] }
          type Admin { id: ID photo: String } interface Product { samePrice: [Product] } type Book implements Product @key(fields: "id") { id: ID! samePrice: [Product] @provides(fields: "... on Book { price }") price: Float @external }`,
        resolvers: {
          Query: {
            users: () => [
              {
                id: 'u',
                name: 'U',
                similar: [
                  { __typename: 'Admin', id: 'ad', photo: 'P' },
                  { __typename: 'User', id: 'u2', name: 'V' },
                ],
              },
            ],
            product: () => ({
              __typename: 'Book',
              id: '1',
              samePrice: [{ __typename: 'Book', id: '2', price: 2 }],
            }),
          },
          Book: { samePrice: () => [{ __typename: 'Book', id: '2', price: 2 }] },
        },
      },
      b: {
        typeDefs: `type Book @key(fields: "id") { id: ID! price: Float @shareable }`,
        resolvers: { Book: { __resolveReference: ({ id }: { id: string }) => ({ id, price: Number(id) }) } },
      },
    },
    asks: [
      [
        '{ users { id similar { ... on User { id name } ... on Admin { id photo } } } }',
        {
          users: [
            {
              id: 'u',
              similar: [
                { id: 'ad', photo: 'P' },
                { id: 'u2', name: 'V' },
              ],
            },
          ],
        },
      ],
      [
        '{ product { samePrice { ... on Book { id price samePrice { ... on Book { price } } } } } }',
        { product: { samePrice: [{ id: '2', price: 2, samePrice: [{ price: 2 }] }] } },
      ],
    ],
  },
  'child-type-mismatch of values that are false, empty and null': {
    subgraphs: {
      a: {
        typeDefs: `type Query { all: [U!]! } union U = T | S
          type T @key(fields: "id") { id: ID! n: Int! @shareable t: String! @shareable f: Boolean! @shareable }
          type S { n: Int t: String f: Boolean }`,
        resolvers: {
          Query: {
            all: () => [
              { __typename: 'T', id: '1', n: 0, t: '', f: false },
              { __typename: 'S', n: 0, t: '', f: false },
              { __typename: 'S', n: null, t: null, f: null },
            ],
          },
        },
      },
      b: {
        typeDefs: `type T @key(fields: "id") { id: ID! n: Int @shareable t: String @shareable f: Boolean @shareable g: Int }`,
        resolvers: { T: { __resolveReference: () => ({ id: '1', n: 0, t: '', f: false, g: 0 }) } },
      },
    },
    asks: [
      [
        '{ all { ... on T { n t f g } ... on S { n t f } } }',
        {
          all: [
            { n: 0, t: '', f: false, g: 0 },
            { n: 0, t: '', f: false },
            { n: null, t: null, f: null },
          ],
        },
      ],
    ],
  },
  'child-type-mismatch of entities of which some are gone': {
    subgraphs: {
      a: {
        typeDefs: `type Query { all: [U!]! } union U = T | S
          type T @key(fields: "id") { id: ID! } type S @key(fields: "id") { id: ID! }`,
        resolvers: {
          Query: {
            all: () => ['T', 'S'].flatMap((__typename) => ['1', 'gone'].map((id) => ({ __typename, id }))),
          },
        },
      },
      b: {
        typeDefs: `type T @key(fields: "id") { id: ID! n: Int! @shareable } type S @key(fields: "id") { id: ID! n: Int }`,
        resolvers: {
          T: { __resolveReference: ({ id }: { id: string }) => (id === 'gone' ? null : { id, n: 0 }) },
          S: { __resolveReference: ({ id }: { id: string }) => (id === 'gone' ? null : { id, n: 0 }) },
        },
      },
      c: {
        typeDefs: `type T @key(fields: "id") { id: ID! n: Int @shareable }`,
        resolvers: {
          T: { __resolveReference: ({ id }: { id: string }) => (id === 'gone' ? null : { id, n: 0 }) },
        },
      },
    },
    asks: [
      ['{ all { ... on T { n } ... on S { n } } }', { all: [{ n: 0 }, { n: null }, { n: 0 }, { n: null }] }],
    ],
  },
  'requires-with-fragments, requires-interface, requires-circular': {
    subgraphs: {
      a: {
        typeDefs: `type Query { e: E } type E @key(fields: "id") { id: ID! data: Foo first: Int done: Int }
          interface Foo { foo: String! } type Bar implements Foo { foo: String! bar: String! } type Baz implements Foo { foo: String! baz: String! }`,
        resolvers: {
          Query: { e: () => ({ id: '1' }) },
          E: {
            __resolveReference: () => ({ id: '1' }),
            data: () => ({ __typename: 'Bar', foo: 'f', bar: 'b' }),
            first: () => 1,
            done: () => 3,
          },
        },
      },
      b: {
        typeDefs: `type E @key(fields: "id") { id: ID! data: Foo @external first: Int @external told: String @requires(fields: "data { foo ... on Bar { bar } ... on Baz { baz } }") second: Int @requires(fields: "first") }
          interface Foo { foo: String! } type Bar implements Foo { foo: String! @external bar: String! @external } type Baz implements Foo { foo: String! @external baz: String! @external }`,
        resolvers: {
          E: {
            __resolveReference: (told: object) => told,
            told: ({ data }: { data: { foo: string; bar: string } }) => `${data.foo}${data.bar}`,
            second: ({ first }: { first: number }) => first + 1,
          },
        },
      },
      c: {
        typeDefs:
          'type E @key(fields: "id") { id: ID! second: Int @external third: Int @requires(fields: "second") }',
        resolvers: {
          E: {
            __resolveReference: (told: object) => told,
            third: ({ second }: { second: number }) => second + 1,
          },
        },
      },
    },
    asks: [
      ['{ e { told second third done } }', { e: { told: 'fb', second: 2, third: 3, done: 3 } }],
      [
        '{ e { data { __typename foo ... on Baz { baz } } told } }',
        { e: { data: { __typename: 'Bar', foo: 'f' }, told: 'fb' } },
      ],
    ],
  },
  'corrupted-supergraph-node-id': {
    subgraphs: {
      a: {
        typeDefs: `type Query { node(id: ID!): Node @shareable } interface Node { id: ID! } type Account implements Node @key(fields: "id") { id: ID! username: String! }
          type Chat implements Node @key(fields: "id") { id: ID! account: Account! }`,
        resolvers: {
          Query: {
            node: (_: unknown, { id }: { id: string }) =>
              id.startsWith('c')
                ? { __typename: 'Chat', id }
                : { __typename: 'Account', id, username: 'Ann' },
          },
          Chat: {
            __resolveReference: (told: object) => told,
            account: () => ({ id: 'a1', username: 'Ann' }),
          },
        },
      },
      b: {
        typeDefs: 'type Chat @key(fields: "id") { id: ID! text: String! }',
        resolvers: { Chat: { __resolveReference: (told: object) => told, text: () => 'hello' } },
      },
    },
    asks: [
      ['{ node(id: "a1") { ... on Account { id username } } }', { node: { id: 'a1', username: 'Ann' } }],
      [
        '{ node(id: "c1") { id ... on Chat { text account { id username } } } }',
        { node: { id: 'c1', text: 'hello', account: { id: 'a1', username: 'Ann' } } },
      ],
    ],
  },
}

describe.each(Object.entries(cases))('%s', (_name, { subgraphs, asks }) => {
  it('is answered as written', async () => {
    const { log } = memoryLog()
    const served = await serveSubgraphs(subgraphs)
    const gateway = await startTestGateway({
      supergraph: served.supergraph,
      dataSource: ({ name, url = '' }) => remoteDataSource({ name, url, headers: forwardedHeaders([]), log }),
      resolveViewer: anonymous,
      foreignSubgraphs: true,
    })
    try {
      for (const [query, data, paths = []] of asks) {
        const { body } = await gateway.ask(query)
        const errors = (body.errors ?? []).map(({ path }) => path?.join('.'))
        const said = (body.errors ?? []).map(({ message }) => message)
        expect({ query, data: body.data, errors, said: errors.length === paths.length ? [] : said }).toEqual({
          query,
          data,
          errors: paths,
          said: [],
        })
      }
    } finally {
      await gateway.close()
      await served.close()
    }
  })
})
