import { parse } from 'graphql'
import { readSchema, type SchemaModel } from './schema-model'

let last: { text: string; model: SchemaModel } | undefined

/** Reads a supergraph. The last one is kept: one check proves it, compares it and describes it. */
export function readSupergraph(text: string): SchemaModel {
  if (last?.text !== text) last = { text, model: readSchema(parse(text)) }
  return last.model
}
