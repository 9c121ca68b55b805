import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isNonNullType,
  isObjectType,
  Kind,
  print,
} from 'graphql'
import { Supergraph } from '@apollo/federation-internals'
import { compose, loadable } from '../../registry/composition/compose'
import { subgraphs } from '../../subgraphs'
import { readDeclarations, rootTypes } from '../../kernel/access/access'
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
    if (!rootTypes.has(type.name) && !['Boolean', 'Float', 'ID', 'Int', 'String'].includes(type.name))
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

it('lets a denied or absent part be null without blanking its surroundings', () => {
  const strict: string[] = []
  for (const { name, entities, typeDefs } of subgraphs) {
    const owned = new Set(entities.map((entity) => entity.name))
    for (const type of readDeclarations(typeDefs).types.values()) {
      for (const { field, nullable, access, external } of type.fields.values()) {
        const contributed =
          type.keyFields.size > 0 && !owned.has(type.name) && !type.keyFields.has(field) && !external
        const restricted = !rootTypes.has(type.name) && (access?.requirements.length ?? 0) > 0
        if (!nullable && (contributed || restricted)) strict.push(`${name}: ${type.name}.${field}`)
      }
    }
  }
  expect(strict).toEqual([])
})

it('has the form of a Relay connection for every list of rows', () => {
  const faults: string[] = []
  for (const type of types) {
    if (!isObjectType(type)) continue
    for (const field of Object.values(type.getFields())) {
      const connection = getNamedType(field.type)
      if (!connection.name.endsWith('Connection') || !isObjectType(connection)) continue
      const place = `${type.name}.${field.name}`
      if (type.name === 'Query' && !isNonNullType(field.type)) faults.push(`${place} may be null`)
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
