import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { projectRoot } from '../kernel/process/project-root'
import type { ScaffoldFile } from '../product/scaffold'
import { changedLines } from '../product/scaffold/changed-lines'
import { ScaffoldError } from '../product/scaffold/scaffold-error'

const usage = `Usage: npm run entity -- make SUBGRAPH NAME [--fields "…"] [--scope S] [--verbs V] [--dry-run]

Writes what a new entity takes: schema, entity, resolvers, migration and test, and its lines in the subgraph's index.ts and
in the contracts' tables. Then it is yours: nothing is generated again, and no file is ever overwritten.
docs/add-an-entity.md says what each file is.

  --fields   its fields: name:Type, name:Type! for what a row must have, and marks behind them. A type is String,
             EmailAddress, Int, Float, Decimal, Boolean, Date, DateTime, CurrencyCode, TimeZone, Money, an enum of the subgraph, or an
             entity: head:User is a reference. @filter, @order and @search say what lists are filtered, ordered and
             searched by. id, version, createdAt and updatedAt come by themselves.
             Leave it out when schema/SUBGRAPH/NAME.graphql has the type: it is read there
  --scope    hr:training asks for hr:training:read and hr:training:write; SUBGRAPH:NAME when not given.
             A scope that is not in use goes into the migration, for ADMIN alone: name further roles there
  --verbs    create,update, which is the default; create alone; create,update,delete
  --dry-run  print new files and the lines that change, write nothing
  --help     print this

Example:
  npm run entity -- make hr TrainingDay --fields "name:String!@search day:Date!@filter@order head:User@filter"`

/** As `npm run lint` wants them. */
async function formatted(files: readonly ScaffoldFile[]): Promise<ScaffoldFile[]> {
  const { format, resolveConfig } = await import('prettier')
  return Promise.all(
    files.map(async (file) => {
      const filepath = join(projectRoot, file.path)
      return { ...file, text: await format(file.text, { ...(await resolveConfig(filepath)), filepath }) }
    }),
  )
}

/** A new file; of one that is there the lines that go, each with a -, and those that come in, each with a +. */
function shown({ path, text, isNew }: ScaffoldFile): string {
  return isNew ? text : changedLines(readFileSync(join(projectRoot, path), 'utf8'), text)
}

function readRequest(args: string[]) {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  try {
    return parseArgs({
      args,
      options: { fields: text, scope: text, verbs: text, 'dry-run': flag, help: { ...flag, short: 'h' } },
      allowPositionals: true,
    })
  } catch (error) {
    throw new ScaffoldError(`${error instanceof Error ? error.message : error}\n\n${usage}`)
  }
}

async function main(): Promise<void> {
  const { values, positionals } = readRequest(process.argv.slice(2))
  const { 'dry-run': dryRun, help, ...answers } = values
  if (help) return console.log(usage)
  const [command, subgraph, name, ...more] = positionals
  if (command !== 'make' || !subgraph || !name || more.length > 0)
    throw new ScaffoldError(
      `Say what to make: make SUBGRAPH NAME. Got: ${positionals.join(' ') || 'nothing'}\n\n${usage}`,
    )
  // Not for --help: what reads the SDL takes longer than all else.
  const { leftToSay, scaffoldEntity, writeScaffold } = await import('../product/scaffold/index.js')
  const request = { subgraph, name, ...answers }
  const files = await formatted(scaffoldEntity(projectRoot, request))
  const left = leftToSay(projectRoot, request)
  for (const file of files) {
    const verb = file.isNew ? 'new' : 'changed'
    console.log(dryRun ? `--- ${file.path} (${verb})\n${shown(file)}` : `${verb.padEnd(8)}${file.path}`)
  }
  if (!dryRun) writeScaffold(projectRoot, files)
  console.log(`
What is left to say:
${left.map((one) => `- ${one}`).join('\n')}

Then: npm run format && npm run schema -- compose && npm run typecheck && npm run lint
      npx jest test/${subgraph} test/contract --maxWorkers=1`)
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = error instanceof ScaffoldError ? 2 : 1
})
