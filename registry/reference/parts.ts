import { describeAccess, requirementOf } from '../access'
import { deprecation } from '../diff/documented'
import type { Ownership } from '../ownership'
import {
  directive,
  namedType,
  type AppliedDirective,
  type ArgumentModel,
  type FieldModel,
  type SchemaModel,
  type TypeModel,
} from '../schema-model'

/** Describes what the parts of the page draw on. */
export interface Reference {
  schema: SchemaModel
  owners: Ownership
  /** Names of the example operations that use something. */
  examplesOf: (coordinate: string) => string[]
}

/** A field with its arguments and everything the schema says about it. */
export function fieldRow(reference: Reference, type: TypeModel, field: FieldModel): string {
  const coordinate = `${type.name}.${field.name}`
  const owners = reference.owners.ownersOf(type, field).filter(({ abandoned }) => !abandoned)
  const graphs = reference.owners.graphsOf(type).length > 1 ? owners.map(({ graph }) => graph) : []
  const isOpen = directive(field, 'public') !== null || directive(type, 'public') !== null
  const access = isOpen ? 'everybody' : describeAccess(requirementOf(type, field))
  const facts = [
    `access: ${access}`,
    ...costFacts(field),
    ...(graphs.length > 0 ? [`from ${graphs.join(', ')}`] : []),
  ]
  const args = [...field.args.values()].map(
    (argument) =>
      `<li><code>${argument.name}: ${typeLink(reference, argument.type)}${defaultText(argument)}</code> ${described(argument)}${deprecated(argument)}</li>`,
  )
  return row(
    reference,
    coordinate,
    `<code>${field.name}: ${typeLink(reference, field.type)}</code>`,
    `${described(field)}${deprecated(field)}${args.length > 0 ? `<ul>${args.join('')}</ul>` : ''}<p class="facts">${escaped(facts.join(' · '))}</p>`,
  )
}

/** An input field or an enum value. */
export function memberRow(
  reference: Reference,
  type: TypeModel,
  member:
    | ArgumentModel
    | { name: string; description: string | undefined; directives: readonly AppliedDirective[] },
): string {
  const typed = 'type' in member ? `: ${typeLink(reference, member.type)}${defaultText(member)}` : ''
  return row(
    reference,
    `${type.name}.${member.name}`,
    `<code>${member.name}${typed}</code>`,
    `${described(member)}${deprecated(member)}`,
  )
}

/** Text that is safe between tags and in attributes. */
export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

function row(reference: Reference, coordinate: string, term: string, definition: string): string {
  const examples = reference.examplesOf(coordinate).map((name) => `<a href="#operation-${name}">${name}</a>`)
  const shown = examples.length > 0 ? `<p class="facts">in ${examples.join(', ')}</p>` : ''
  return `<div id="${coordinate}"><dt>${term}</dt><dd>${definition}${shown}</dd></div>`
}

function costFacts(field: FieldModel): string[] {
  const weight = directive(field, 'cost')?.args['weight']
  const list = directive(field, 'listSize')?.args
  const slicing = Array.isArray(list?.['slicingArguments']) ? list['slicingArguments'].join(', ') : ''
  return [
    ...(typeof weight === 'number' ? [`costs ${weight}`] : []),
    ...(list
      ? [
          `${String(list['assumedSize'] ?? 'some')} items assumed${slicing ? `, or as many as ${slicing} says` : ''}`,
        ]
      : []),
  ]
}

function typeLink(reference: Reference, type: string): string {
  const name = namedType(type)
  return reference.schema.types.has(name) ? type.replace(name, `<a href="#${name}">${name}</a>`) : type
}

function described({ description }: { description: string | undefined }): string {
  return description ? `<span>${escaped(description)}</span>` : ''
}

function deprecated(of: { directives: readonly AppliedDirective[] }): string {
  const reason = deprecation(of)
  return reason === null ? '' : ` <strong class="deprecated">Deprecated: ${escaped(reason)}</strong>`
}

function defaultText({ defaultValue }: ArgumentModel): string {
  return defaultValue === undefined ? '' : escaped(` = ${defaultValue}`)
}
