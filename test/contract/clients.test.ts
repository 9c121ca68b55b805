import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSchema, isScalarType, isSpecifiedScalarType } from 'graphql'
import ts from 'typescript'
import { projectRoot } from '../../kernel/process/config'

const read = (...path: string[]) => readFileSync(join(projectRoot, ...path), 'utf8')
const api = buildSchema(read('schema', 'api.graphql'))
const scalars = Object.values(api.getTypeMap())
  .filter((type) => isScalarType(type) && !isSpecifiedScalarType(type))
  .map(({ name }) => name)
  .sort()

/** The keys of the object that a property of this name holds. */
function keysOf(file: ts.SourceFile, property: string): string[] {
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (
      ts.isPropertyAssignment(node) &&
      node.name.getText(file) === property &&
      ts.isObjectLiteralExpression(node.initializer)
    )
      found.push(...node.initializer.properties.map((one) => one.name!.getText(file)))
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found.sort()
}

test('E7: the configuration for clients maps the scalars of the schema that clients see, all and no others', () => {
  const text = read('docs', 'clients', 'codegen.ts')
  const file = ts.createSourceFile('codegen.ts', text, ts.ScriptTarget.Latest, true)
  expect(scalars).toContain('Decimal')
  expect(keysOf(file, 'scalars')).toEqual(scalars)
  for (const scalar of scalars) expect(read('docs', 'clients.md')).toContain(`| \`${scalar}\``)
})

test('E7: the schema that clients see has no sign of federation or access rules, and all descriptions', () => {
  const text = read('schema', 'api.graphql')
  const directives = new Set(
    [...text.replace(/"""[^]*?"""/g, '').matchAll(/@(\w+)/g)].map(([, name]) => name),
  )
  expect([...directives].filter((name) => !['deprecated', 'specifiedBy', 'oneOf'].includes(name!))).toEqual(
    [],
  )
  expect(text).not.toMatch(/join__|_Service|_Entity|^directive /m)
  const bare = Object.values(api.getTypeMap()).filter(
    ({ name, description }) =>
      !name.startsWith('__') && !description && !['Query', 'Mutation', 'Subscription'].includes(name),
  )
  expect(bare).toEqual([])
})
