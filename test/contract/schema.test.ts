import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  Kind,
  print,
} from 'graphql'
import { Supergraph } from '@apollo/federation-internals'
import { compose, loadable } from '../../registry/composition/compose'
import { subgraphs } from '../../subgraphs'
import { isWrapper, readDeclarations, rootTypes, type TypeDeclaration } from '../../kernel/access/access'
import { projectRoot } from '../../kernel/process/config'

const committed = readFileSync(join(projectRoot, 'schema', 'supergraph.graphql'), 'utf8')
const api = Supergraph.build(loadable(committed)).apiSchema().toGraphQLJSSchema()
const types = Object.values(api.getTypeMap()).filter(({ name }) => !name.startsWith('__'))

it('composes without hints to the committed supergraph', () => {
  expect(compose([...subgraphs])).toBe(committed)
})

it('describes every type, field, argument and value', () => {
  const bare: string[] = []
  const note = (name: string, described: { description?: string | null }) => {
    if (!described.description?.trim()) bare.push(name)
  }
  for (const type of types) {
    if (
      !rootTypes.has(type.name) &&
      type.name !== 'Subscription' &&
      !['Boolean', 'Float', 'ID', 'Int', 'String'].includes(type.name)
    )
      note(type.name, type)
    if (isEnumType(type)) for (const value of type.getValues()) note(`${type.name}.${value.name}`, value)
    if (!isObjectType(type) && !isInterfaceType(type) && !isInputObjectType(type)) continue
    for (const field of Object.values(type.getFields())) {
      note(`${type.name}.${field.name}`, field)
      if ('args' in field)
        for (const argument of field.args) note(`${type.name}.${field.name}(${argument.name})`, argument)
    }
  }
  expect(bare).toEqual([])
})

it('G4: lets every part that may be refused or unavailable be null, so that the rest of an answer stays', () => {
  const ownerOf = new Map(
    subgraphs.flatMap(({ name, entities }) => entities.map((entity) => [entity.name, name] as const)),
  )
  const seen = { root: 0, ruled: 0, contributed: 0, foreign: 0, guarded: 0 }
  const strict: string[] = []
  for (const { name, typeDefs } of subgraphs) {
    const { types } = readDeclarations(typeDefs)
    /** The type whose rows a field returns, in a connection too. */
    const rowsOf = (returns: string) => types.get(returns.replace(/Connection$/, '')) ?? types.get(returns)
    const rules = (type: TypeDeclaration | undefined) => JSON.stringify(type?.access?.requirements ?? [])
    for (const type of types.values()) {
      // A payload tells what its mutation did and a wrapper what its connection found: their rules stand at the field.
      if (type.name === 'Mutation' || isWrapper(type.name)) continue
      for (const { field, nullable, access, external, returns } of type.fields.values()) {
        if (external || type.keyFields.has(field)) continue
        const row = rowsOf(returns)
        const why = {
          root: type.name === 'Query',
          ruled: (access?.requirements.length ?? 0) > 0,
          contributed: type.keyFields.size > 0 && ownerOf.get(type.name) !== name,
          foreign: row !== undefined && row.keyFields.size > 0 && ownerOf.get(row.name) !== name,
          guarded: rules(row) !== '[]' && rules(row) !== rules(type),
        }
        for (const reason of Object.keys(seen) as (keyof typeof seen)[]) if (why[reason]) seen[reason]++
        if (!nullable && Object.values(why).includes(true)) strict.push(`${name}: ${type.name}.${field}`)
      }
    }
  }
  expect(strict).toEqual([])
  expect(Object.entries(seen).filter(([, times]) => times < 5)).toEqual([])
})

it('has the form of a Relay connection for every list of rows', () => {
  const faults: string[] = []
  for (const type of types) {
    if (!isObjectType(type)) continue
    for (const field of Object.values(type.getFields())) {
      const connection = getNamedType(field.type)
      if (!connection.name.endsWith('Connection') || !isObjectType(connection)) continue
      const place = `${type.name}.${field.name}`
      for (const argument of ['first', 'after'])
        if (!field.args.some(({ name }) => name === argument)) faults.push(`${place} lacks ${argument}`)
      for (const part of ['edges', 'nodes', 'pageInfo'])
        if (!connection.getFields()[part]) faults.push(`${connection.name} lacks ${part}`)
    }
  }
  expect(faults).toEqual([])
})

it('P2: declares the size of every list of rows, field by field', () => {
  const declared = new Set<string>()
  const lists = new Set<string>()
  for (const { typeDefs } of subgraphs) {
    for (const node of typeDefs.definitions) {
      if (node.kind !== Kind.OBJECT_TYPE_DEFINITION && node.kind !== Kind.OBJECT_TYPE_EXTENSION) continue
      for (const { name, type, directives } of node.fields ?? []) {
        const place = `${node.name.value}.${name.value}`
        if (print(type).replace('!', '').endsWith('Connection')) lists.add(place)
        if (directives?.some((one) => one.name.value === 'listSize')) declared.add(place)
      }
    }
  }
  expect(lists.size).toBe(connections().length)
  expect([...lists].filter((place) => !declared.has(place))).toEqual([])
})

/** Every field of the API whose type is a page of rows. */
function connections(): string[] {
  return types.filter(isObjectType).flatMap((type) =>
    Object.values(type.getFields())
      .filter((field) => getNamedType(field.type).name.endsWith('Connection'))
      .map((field) => `${type.name}.${field.name}`),
  )
}

it('gives every mutation one input and a payload with user errors', () => {
  const faults: string[] = []
  for (const field of Object.values(api.getMutationType()!.getFields())) {
    const verb = field.name.charAt(0).toUpperCase() + field.name.slice(1)
    const [input, ...others] = field.args
    if (others.length > 0 || input?.type.toString() !== `${verb}Input!`) faults.push(`${field.name} input`)
    if (field.type.toString() !== `${verb}Payload!`) faults.push(`${field.name} payload`)
    const payload = getNamedType(field.type)
    const errors = isObjectType(payload) ? payload.getFields()['userErrors'] : undefined
    if (!/^\[\w*UserError!\]!$/.test(String(errors?.type))) faults.push(`${field.name} userErrors`)
  }
  expect(faults).toEqual([])
})
