import { print as printed } from 'graphql'
import { Fault } from '../fault'
import { ok, schemaOptions, type Command } from './command'
import { findSubgraphs } from './references'

/** Prints the schema of one subgraph with everything that is derived from its files written out. */
export const print: Command = {
  name: 'print',
  positionals: 'SUBGRAPH',
  count: [1, 1],
  summary: 'Prints the schema of a subgraph with everything that follows from its files written out.',
  options: schemaOptions,
  notes:
    'It is the schema that the subgraph serves and composition takes; docs/derived-schema.md has the rules.',
  async run(values, [name], environment) {
    const subgraphs = await findSubgraphs(values, environment)
    const subgraph = subgraphs.find((candidate) => candidate.name === name)
    if (!subgraph) {
      const names = subgraphs.map((candidate) => candidate.name).join(', ')
      throw new Fault(`There is no subgraph "${name}": choose one of ${names}`)
    }
    environment.out(printed(subgraph.typeDefs))
    return ok
  },
}
