import { Kind, parse } from 'graphql'
import { article, capital, plural, words } from '../../kernel/schema/derived-forms'
import { ownFields, type EntityPlan, type PlannedField } from './entity-plan'

/**
 * The SDL file of a new entity: root fields, the type, its inputs, and the types of other subgraphs that it refers to.
 * Where the type is written already, what its file lacks is put around it.
 */
export function sdlText(plan: EntityPlan): string {
  const { name, one, many, scopes, verbs } = plan
  const noun = words(name)
  const has = namesIn(plan.written)
  const rule = (scope: string) => `@requiresScopes(scopes: [["${scope}"]])`
  const queries = [
    [
      one,
      `"One ${noun}; null when the tenant has none with this id."
  ${one}("UUID of the ${noun}." id: ID!): ${name} ${rule(scopes.read)}`,
    ],
    [
      many,
      `"The tenant's ${plural(noun)}, the newest first."
  ${many}: ${name}Connection ${rule(scopes.read)}`,
    ],
  ] as const
  const mutation = (verb: string, says: string, input: string) =>
    [
      `${verb}${name}`,
      `"${says} ${article(noun)}."
  ${verb}${name}("${input}" input: ${capital(verb)}${name}Input!): ${capital(verb)}${name}Payload! ${rule(scopes.write)}`,
    ] as const
  const mutations = [
    mutation('create', 'Adds', `The new ${noun}.`),
    ...(verbs.includes('update') ? [mutation('update', 'Changes', 'What to change.')] : []),
    ...(verbs.includes('delete') ? [mutation('delete', 'Deletes', `Which ${noun}.`)] : []),
  ]
  const extension = (root: string, fields: readonly (readonly [string, string])[]) => {
    const missing = fields.filter(([field]) => !has.has(`${root}.${field}`)).map(([, text]) => text)
    return missing.length > 0 ? [`extend type ${root} {\n  ${missing.join('\n\n  ')}\n}`] : []
  }
  const definition = (defined: string, text: string) => (has.has(defined) ? [] : [text])
  const foreign = new Set(
    plan.fields.flatMap(({ type, target }) => (target && target.subgraph !== plan.subgraph ? [type] : [])),
  )
  return `${[
    ...extension('Query', queries),
    ...extension('Mutation', mutations),
    plan.written?.trim() ?? typeText(plan),
    ...[...foreign]
      .filter((type) => !plan.known.has(type))
      .map(
        (type) =>
          `type ${type} @key(fields: "id", resolvable: false) {\n  "UUID of the ${words(type)}."\n  id: ID!\n}`,
      ),
    ...definition(`Create${name}Input`, inputText(plan)),
  ].join('\n\n')}\n`
}

function typeText({ name, scopes, fields }: EntityPlan): string {
  const noun = words(name)
  const lines = fields.map(
    (field) =>
      `"${descriptionOf(field)}"\n  ${field.name}: ${field.type}${isNullable(field) ? '' : '!'}${field.marks.map((mark) => ` @${mark}`).join('')}`,
  )
  return `"${capital(article(noun))} of the tenant."
type ${name} @key(fields: "id") @requiresScopes(scopes: [["${scopes.read}"]]) {
  "UUID of the ${noun}."
  id: ID!
  ${lines.join('\n  ')}
}`
}

/** A reference may be one that the viewer may not see. */
const isNullable = ({ required, target }: PlannedField): boolean => !required || target !== undefined

const standing: Readonly<Record<string, string>> = {
  version: 'Grows by one with every change; give it back as `expectedVersion`.',
  createdAt: 'When the record was created.',
  updatedAt: 'When the record last changed.',
}

function descriptionOf({ name, type, required, target }: PlannedField): string {
  const said = standing[name]
  if (said) return said
  if (type === 'Boolean')
    return `Whether it is ${words(name).replace(/^is /, '')}${required ? '' : '; null when not told'}.`
  return `Its ${words(name)}${required ? '' : `; null when ${target ? 'there is none' : 'not told'}`}.`
}

function inputText(plan: EntityPlan): string {
  const lines = ownFields(plan).map((field) => {
    const name = field.target ? `${field.name}Id` : field.name
    const type = field.target ? 'ID' : field.type === 'Money' ? 'MoneyInput' : field.type
    return `"${inputSentence(field)}"\n  ${name}: ${type}${field.required ? '!' : ''}`
  })
  return `"A new ${words(plan.name)}."\ninput Create${plan.name}Input {\n  ${lines.join('\n  ')}\n}`
}

function inputSentence({ name, type, required, target, description }: PlannedField): string {
  if (target)
    return `UUID of ${type.toLowerCase() === name.toLowerCase() ? 'its' : `the ${words(type)} that is its`} ${words(name)}.`
  const said = description
    ?.replace(/\s+/g, ' ')
    .replace(/(;|:| \(|\. ).*$|\.$/, '')
    .replaceAll('"', '\\"')
  const plain = type === 'Boolean' ? `Whether it is ${words(name).replace(/^is /, '')}` : `Its ${words(name)}`
  const about = said ?? plain
  const length = { String: 100, EmailAddress: 255 }[type]
  return `${about}${length ? `, ${required ? '1 to' : 'at most'} ${length} characters` : ''}.`
}

/** Types, and the fields of the root as `Query.holiday`, that a text defines. */
function namesIn(text: string | null): Set<string> {
  const names = new Set<string>()
  if (text === null) return names
  for (const node of parse(text).definitions) {
    if (!('name' in node) || !node.name) continue
    names.add(node.name.value)
    if (node.kind !== Kind.OBJECT_TYPE_EXTENSION && node.kind !== Kind.OBJECT_TYPE_DEFINITION) continue
    for (const field of node.fields ?? []) names.add(`${node.name.value}.${field.name.value}`)
  }
  return names
}
