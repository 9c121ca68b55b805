import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse, print } from 'graphql'
import { apiDocument } from '../api-schema'
import type { CheckInput } from '../check'
import { readSchema } from '../schema-model'
import { text, texts, type Environment, type Values } from './command'

/** The schema that clients see, as text. */
export function apiText(supergraph: string): string {
  return `${print(apiDocument(readSchema(parse(supergraph, { noLocation: true }))))}\n`
}

/** Returns what is made of a supergraph and committed beside the subgraphs, by the name of its file. */
const artefacts: Readonly<Record<string, (supergraph: string) => string>> = {
  'supergraph.graphql': (supergraph) => supergraph,
  'api.graphql': apiText,
}

/** The committed files that `schema compose` would write anew; none when other subgraphs than the folder's compose. */
export function committedArtefacts(values: Values, { cwd }: Environment): CheckInput['artefacts'] {
  if (values['only'] || texts(values, 'subgraph').length > 0) return []
  return Object.entries(artefacts).flatMap(([name, made]) => {
    const file = join(text(values, 'schema'), name)
    const path = resolve(cwd, file)
    if (!existsSync(path)) return []
    return [{ file, isCurrent: (supergraph) => readFileSync(path, 'utf8') === made(supergraph) }]
  })
}
