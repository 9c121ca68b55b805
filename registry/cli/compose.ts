import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'graphql'
import { contractSupergraph } from '../composition/contract-supergraph'
import { contractSchema, readContracts } from '../composition/contracts'
import { Fault } from '../fault'
import { didYouMean } from '../suggestions'
import { humanProblems } from '../report/human'
import { readSchema } from '../schema-model'
import { apiText } from './artefacts'
import { no, ok, schemaOptions, text, type Command } from './command'
import { readSubgraphs, supergraphFile } from './references'

/** Composes the subgraphs and writes the artefact, or with `--check` compares it. */
export const compose: Command = {
  name: 'compose',
  positionals: '',
  count: [0, 0],
  summary:
    'Composes the subgraphs into the supergraph. Hints are errors. The order of the subgraphs changes nothing.',
  options: {
    ...schemaOptions,
    out: {
      type: 'string',
      default: supergraphFile,
      value: 'FILE',
      help: 'where to write the supergraph; - for standard output',
    },
    check: {
      type: 'boolean',
      default: false,
      help: 'write nothing; exit code 1 when the file is not what the subgraphs compose to',
    },
    api: {
      type: 'string',
      value: 'FILE',
      help: 'write the schema clients see as well; - for standard output',
    },
    contract: { type: 'string', value: 'NAME', help: 'compose this contract of schema/contracts.json' },
  },
  async run(values, _positionals, environment) {
    const { problems, supergraph } = await environment.compose(await readSubgraphs(values, environment), {
      thorough: true,
    })
    if (supergraph === null) {
      environment.out(humanProblems(problems))
      return no
    }
    const contract = text(values, 'contract')
    const composed = contract
      ? ofContract(supergraph, contract, resolve(environment.cwd, text(values, 'schema'), 'contracts.json'))
      : supergraph
    const write = (place: string, content: string) => {
      if (place === '-') return environment.out(content.trimEnd())
      writeFileSync(resolve(environment.cwd, place), content)
      environment.out(`Wrote ${place}`)
    }
    const file = text(values, 'out')
    if (values['check']) {
      const path = resolve(environment.cwd, file)
      if (existsSync(path) && readFileSync(path, 'utf8') === composed) {
        environment.out(`${file} is current`)
        return ok
      }
      environment.out(`${file} is out of date: run "npm run schema -- compose" and commit the result`)
      return no
    }
    write(file, composed)
    const api = text(values, 'api')
    if (api) write(api, apiText(composed))
    return ok
  },
}

function ofContract(supergraph: string, name: string, path: string): string {
  const contract = readContracts(path).find((candidate) => candidate.name === name)
  if (!contract)
    throw new Fault(
      `${path} has no contract "${name}"${didYouMean(
        name,
        readContracts(path).map((known) => known.name),
      )}`,
    )
  const { hidden, faults } = contractSchema(readSchema(parse(supergraph, { noLocation: true })), contract)
  if (faults.length > 0) throw new Fault(faults.map(({ message }) => message).join('\n'))
  return contractSupergraph(supergraph, hidden)
}
