import { buildSchema, isScalarType } from 'graphql'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../kernel/process/config'
import { scalarSamples, sampleOfScalar } from '../../kernel/schema/scalar-samples'
import { scalars } from '../../kernel/schema/scalars'

const api = buildSchema(readFileSync(join(projectRoot, 'schema', 'api.graphql'), 'utf8'))

test('every scalar of the schema has samples, and those of ours read them', () => {
  const named = Object.values(api.getTypeMap()).filter(isScalarType)
  const known = new Set([...named.map(({ name }) => name), ...Object.keys(scalars)])
  expect(Object.keys(scalarSamples).sort()).toEqual([...known].sort())
  for (const [name, { parseValue }] of Object.entries(scalars)) {
    const { values, wrong } = scalarSamples[name]!
    for (const value of values) expect([name, parseValue!(value)]).toEqual([name, value])
    if (wrong !== undefined) expect(() => parseValue!(wrong)).toThrow(name)
  }
})

test('a scalar without samples says where they go', () => {
  expect(sampleOfScalar('TimeZone')).toBe('Europe/Berlin')
  expect(() => sampleOfScalar('Colour')).toThrow(
    'kernel/schema/scalar-samples.ts has no samples of the scalar Colour: add them',
  )
})
