import {
  Kind,
  parse,
  visit,
  type DefinitionNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type InputObjectTypeDefinitionNode,
  type InputValueDefinitionNode,
  type Location,
} from 'graphql'
import { changeForm, updateForm } from './derived-forms'
import { isObject, namedTypeOf, refuse } from './markings'

const mark = 'change'

/**
 * A document in which
 * - inputs marked `@change` begin with `id` and `expectedVersion`, unless these are written
 * - `UpdateCourseInput`, which `updateCourse` names and nobody writes, takes what `CreateCourseInput` takes, nothing of it
 *   required
 *
 * The mark and its definition are gone.
 * @throws GraphQLError that begins with file, line and column where the name does not say which record an `id` is of
 */
export function withChangeInputs(document: DocumentNode): DocumentNode {
  const { definitions } = document
  const types = new Set(definitions.filter(isObject).map(({ name }) => name.value))
  const inputs = new Map(
    definitions.flatMap((node) =>
      node.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION ? [[node.name.value, node]] : [],
    ),
  )
  const mutations = definitions.flatMap((node) =>
    isObject(node) && node.name.value === 'Mutation' ? (node.fields ?? []) : [],
  )
  const updates = mutations.flatMap((field) => updateInput(field, inputs) ?? [])
  const written = definitions.flatMap((node): DefinitionNode[] =>
    node.kind === Kind.DIRECTIVE_DEFINITION && node.name.value === mark
      ? []
      : [node.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION ? withChange(node, types) : node],
  )
  return { ...document, definitions: [...written, ...updates] }
}

function updateInput(
  { name, arguments: args = [] }: FieldDefinitionNode,
  inputs: ReadonlyMap<string, InputObjectTypeDefinitionNode>,
): InputObjectTypeDefinitionNode | null {
  const noun = /^update([A-Z]\w*)$/.exec(name.value)?.[1]
  const created = inputs.get(`Create${noun}Input`)
  const isNamed = args.some(({ type }) => namedTypeOf(type) === `Update${noun}Input`)
  if (!noun || !created || !isNamed || inputs.has(`Update${noun}Input`)) return null
  const form = formAt(updateForm(noun), name.loc)
  const changes = created.fields?.map((field) => {
    const { defaultValue: _, ...rest } = field
    return { ...rest, type: field.type.kind === Kind.NON_NULL_TYPE ? field.type.type : field.type }
  })
  return { ...form, fields: [...(form.fields ?? []), ...(changes ?? [])] }
}

function formAt(text: string, loc: Location | undefined): InputObjectTypeDefinitionNode {
  const form = parse(text, { noLocation: true }).definitions[0] as InputObjectTypeDefinitionNode
  return visit(form, { enter: (part) => ({ ...part, loc }) }) as InputObjectTypeDefinitionNode
}

function withChange(
  node: InputObjectTypeDefinitionNode,
  types: ReadonlySet<string>,
): InputObjectTypeDefinitionNode {
  const marked = node.directives?.find(({ name }) => name.value === mark)
  if (!marked) return node
  const { fields: written = [] } = node
  const find = (wanted: string) => written.find(({ name }) => name.value === wanted)
  const noun = /^[A-Z][a-z0-9]*(\w+)Input$/.exec(node.name.value)?.[1] ?? ''
  if (!find('id') && !types.has(noun))
    refuse(
      marked,
      `${node.name.value} is not named like a verb and a type: write \`id: ID!\` and what it is of`,
    )
  const form = formAt(changeForm(noun), marked.loc)
  const derived = (form.fields ?? []).map(
    (field): InputValueDefinitionNode => find(field.name.value) ?? field,
  )
  return {
    ...node,
    directives: node.directives?.filter((directive) => directive !== marked),
    fields: [...derived, ...written.filter((field) => !derived.includes(field))],
  }
}
