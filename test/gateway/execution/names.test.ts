import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { parse, validate } from 'graphql'
import { projectRoot } from '../../../kernel/process/config'
import { newWorld, run, startFederation, type Federation } from './federation'

let federation: Federation
beforeAll(async () => {
  federation = await startFederation()
})

/** Every name in the texts of the code that plans and executes: whatever it uses inside is among them. */
const innerNames = [
  ...new Set(
    ['gateway/execution', 'gateway/plans'].flatMap((folder) =>
      readdirSync(join(projectRoot, folder)).flatMap((file) =>
        [...readFileSync(join(projectRoot, folder, file), 'utf8').matchAll(/['"`]([_A-Za-z]\w*)/g)].map(
          ([, name]) => name!,
        ),
      ),
    ),
  ),
].filter((name) => !['true', 'false', 'null', 'on'].includes(name))

const name = fc.oneof(
  fc.constantFrom(...innerNames),
  fc.constantFrom(
    ...[
      'representations',
      'entities0',
      'entities_0',
      'asked0_name',
      'asked_value0',
      'asked',
      'required0_price',
    ],
    ...[
      '__proto__',
      'constructor',
      'toString',
      '__typename',
      '_entities',
      '_service',
      'price__alias_0',
      'id',
    ],
  ),
  fc.stringMatching(/^[_A-Za-z][_0-9A-Za-z]{0,12}$/),
)
const runs = Number(process.env.NAMES_COUNT ?? 60)

it('knows the names that it is about', () => {
  expect(innerNames).toEqual(
    expect.arrayContaining(['representations', 'entities', 'asked', 'required', '_entities']),
  )
})

it(`any name of a variable, alias, fragment and operation works (G8)`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(name, { minLength: 6, maxLength: 6 }), async (names) => {
      const [first, currency, one, other, fragment, operation] = names.map((one) =>
        one === 'on' ? 'on_' : one,
      ) as [string, string, string, string, string, string]
      const query = `query ${operation}($${first}: Int = 2, $${currency}: Currency = USD) {
        warehouses { ...${fragment} }
        me { favourite { ${one}: price(currency: $${currency}) ${other}: shipping tax } }
      }
      fragment ${fragment} on Warehouse {
        ${one}: products(first: $${first}) { ${other}: name ${one}: price(currency: $${currency}) tax shipping related(first: 1) { id } }
      }`
      if (validate(federation.schema, parse(query)).length > 0) return
      for (const variables of [{}, { [first]: 1, [currency]: 'EUR' }]) {
        // The prototype of an object literal is no variable.
        const given = Object.assign(Object.create(null), JSON.parse(JSON.stringify(variables))) as Record<
          string,
          unknown
        >
        const safe = first === '__proto__' || currency === '__proto__' ? {} : given
        const ours = await run(federation.ours, federation.schema, query, safe)
        expect(ours).toEqual(await wholeOf(query, safe, [first, currency]))
      }
    }),
    { numRuns: runs },
  )
})

/** The right answer; graphql-js itself mistakes variables with names that every object has. */
function wholeOf(query: string, variables: Record<string, unknown>, names: readonly string[]) {
  let text = query
  const renamed: Record<string, unknown> = {}
  names.forEach((from, index) => {
    text = text.replaceAll(new RegExp(`\\$${from}(?!\\w)`, 'g'), `$plain${index}`)
    if (Object.hasOwn(variables, from)) renamed[`plain${index}`] = variables[from]
  })
  return federation.whole(text, renamed, newWorld())
}
