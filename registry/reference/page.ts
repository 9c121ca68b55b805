import { coordinatesOf } from '../usage/coordinates'
import { namedOperations, type NamedOperation } from '../usage/manifest'
import type { OperationFile } from '../usage/operations'
import { ownership } from '../ownership'
import { visibleTo, type SchemaModel, type TypeModel } from '../schema-model'
import { escaped, fieldRow, memberRow, type Reference } from './parts'
import { script, style } from './assets'

/**
 * The reference of a graph as one HTML page without any link to elsewhere: every type and field with its description,
 * who may read it, what it costs, until when it works and which operations show it. The search runs in the page.
 *
 * @param graph a supergraph, or a plain schema
 */
export function referencePage(graph: SchemaModel, examples: readonly OperationFile[], title: string): string {
  const schema = visibleTo(graph)
  const operations = namedOperations(examples)
  const reference: Reference = {
    schema,
    owners: ownership(graph),
    examplesOf: examplesBy(schema, operations),
  }
  const types = [...schema.types.values()].sort(
    (a, b) => rank(schema, a) - rank(schema, b) || (a.name < b.name ? -1 : 1),
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<header>
<h1>${escaped(title)}</h1>
<label>Search <input id="search" type="search" placeholder="type, field, scope or word" autocomplete="off" autofocus></label>
<p id="count" role="status"></p>
</header>
<nav aria-label="Types"><ul>${types.map(({ name }) => `<li data-type="${name}"><a href="#${name}">${name}</a></li>`).join('')}</ul></nav>
<main>
${types.map((type) => section(reference, type)).join('\n')}
${operations.length > 0 ? `<section id="operations"><h2>Example operations</h2>${operations.map(example).join('')}</section>` : ''}
</main>
<script>${script}</script>
</body>
</html>
`
}

/** The ways in come first. */
function rank(schema: SchemaModel, { name }: TypeModel): number {
  const { query, mutation, subscription } = schema.roots
  const index = [query, mutation, subscription].indexOf(name)
  return index < 0 ? 3 : index
}

function section(reference: Reference, type: TypeModel): string {
  const owners = reference.owners.graphsOf(type).map(({ graph }) => graph)
  const facts = [
    type.kind,
    ...(type.interfaces.size > 0 ? [`implements ${[...type.interfaces].join(', ')}`] : []),
    ...(type.members.size > 0 ? [`one of ${[...type.members].join(', ')}`] : []),
    ...(owners.length > 0 ? [`from ${owners.join(', ')}`] : []),
  ]
  const rows = [
    ...[...type.fields.values()].map((field) => fieldRow(reference, type, field)),
    ...[...type.inputFields.values()].map((field) => memberRow(reference, type, field)),
    ...[...type.values.values()].map((value) => memberRow(reference, type, value)),
  ]
  return `<section id="${type.name}"><h2><a href="#${type.name}">${type.name}</a></h2><p class="facts">${escaped(facts.join(' · '))}</p>
${type.description ? `<p>${escaped(type.description)}</p>` : ''}${rows.length > 0 ? `<dl>${rows.join('\n')}</dl>` : ''}</section>`
}

function example({ name, body, file }: NamedOperation): string {
  return `<article id="operation-${name}"><h3>${name}</h3><p class="facts">${escaped(file)}</p><pre>${escaped(body)}</pre></article>`
}

/** The operations that use something, by coordinate. */
function examplesBy(
  schema: SchemaModel,
  operations: readonly NamedOperation[],
): (coordinate: string) => string[] {
  const names = new Map<string, string[]>()
  for (const { name, document } of operations) {
    for (const coordinate of coordinatesOf(schema, document))
      names.set(coordinate, [...(names.get(coordinate) ?? []), name])
  }
  return (coordinate) => names.get(coordinate) ?? []
}
