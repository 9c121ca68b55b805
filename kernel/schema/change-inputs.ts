import {
  Kind,
  parse,
  visit,
  type DefinitionNode,
  type DocumentNode,
  type InputObjectTypeDefinitionNode,
  type InputValueDefinitionNode,
} from 'graphql'
import { changeForm } from './derived-forms'
import { isObject, refuse } from './markings'

const mark = 'change'

/**
 * A document whose inputs marked `@change` begin with `id` and `expectedVersion`, unless these are written. The mark and
 * its definition are gone.
 *
 * @throws GraphQLError that begins with file, line and column where the name does not say which record an `id` is of
 */
export function withChangeInputs(document: DocumentNode): DocumentNode {
  const types = new Set(document.definitions.filter(isObject).map(({ name }) => name.value))
  const definitions = document.definitions.flatMap((node): DefinitionNode[] => {
    if (node.kind === Kind.DIRECTIVE_DEFINITION && node.name.value === mark) return []
    return node.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION ? [withChange(node, types)] : [node]
  })
  return { ...document, definitions }
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
  const form = visit(parse(changeForm(noun), { noLocation: true }), {
    enter: (part) => ({ ...part, loc: marked.loc }),
  }).definitions[0] as InputObjectTypeDefinitionNode
  const derived = (form.fields ?? []).map(
    (field): InputValueDefinitionNode => find(field.name.value) ?? field,
  )
  return {
    ...node,
    directives: node.directives?.filter((directive) => directive !== marked),
    fields: [...derived, ...written.filter((field) => !derived.includes(field))],
  }
}
