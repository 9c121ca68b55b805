import { newWorld, run, startFederation, type Federation } from './federation'

let federation: Federation
beforeAll(async () => {
  federation = await startFederation()
})

/** Asks for products of which all lack a name, and the last one its maker. */
async function ask(rows: number) {
  const items = Array.from({ length: rows }, (_, at) => ({
    __typename: 'Product',
    id: `p${at}`,
    ...(at < rows - 1 && { maker: null }),
  }))
  const world = newWorld()
  world.instead = () => ({ data: { items } })
  return run(federation.ours, federation.schema, '{ items { id name maker { id } } }', {}, world)
}

const unnamed = (at: number) =>
  `items.${at}.name SUBGRAPH_INVALID_ANSWER No value found for field Product.name.`

it('has all errors of an answer with one hundred', async () => {
  const { errors } = await ask(99)
  expect(errors).toHaveLength(100)
  expect(errors!.join()).not.toContain('ERRORS_OMITTED')
})

it('has one hundred of many, the first of each field, and says how many more there are; all nulls stay', async () => {
  const { data, errors } = await ask(1000)
  const told = errors!.map(String)
  expect(told).toHaveLength(101)
  expect(told.filter((error) => error.includes('ERRORS_OMITTED'))).toEqual([
    expect.stringContaining('901 more errors are left out'),
  ])
  expect(told).toContain(unnamed(0))
  expect(told).toContain(unnamed(98))
  expect(told).not.toContain(unnamed(99))
  expect(told).toContain('items.999.maker SUBGRAPH_INVALID_ANSWER No value found for field Product.maker.')
  const { items } = data as { items: { id: string; name: unknown }[] }
  expect(items).toHaveLength(1000)
  expect(items.every(({ name }) => name === null)).toBe(true)
})
