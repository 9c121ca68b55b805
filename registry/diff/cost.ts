import type { Change } from '../change'
import { directive, type AppliedDirective, type SchemaModel } from '../schema-model'
import { canonical } from '../versions/store'

interface Costed {
  directives: readonly AppliedDirective[]
}

/**
 * Differences in what operations cost: `@cost` and `@listSize` (https://ibm.github.io/graphql-specs/cost-spec.html).
 * @param unchanged types to pass over
 */
export function costChanges(from: SchemaModel, to: SchemaModel, unchanged: ReadonlySet<string>): Change[] {
  const changes: Change[] = []
  for (const before of from.types.values()) {
    if (unchanged.has(before.name)) continue
    const after = to.types.get(before.name)
    if (!after) continue
    changes.push(...weightChange(before.name, before, after))
    for (const field of before.fields.values()) {
      const kept = after.fields.get(field.name)
      if (!kept) continue
      const coordinate = `${before.name}.${field.name}`
      changes.push(...weightChange(coordinate, field, kept), ...listSizeChange(coordinate, field, kept))
      for (const argument of field.args.values()) {
        const keptArgument = kept.args.get(argument.name)
        if (keptArgument)
          changes.push(...weightChange(`${coordinate}(${argument.name}:)`, argument, keptArgument))
      }
    }
  }
  return changes
}

function weightChange(coordinate: string, before: Costed, after: Costed): Change[] {
  // The specification writes weights as texts, federation as numbers.
  const [was, is] = [before, after].map((of) => {
    const weight = directive(of, 'cost')?.args['weight']
    return weight === undefined ? undefined : Number(weight)
  })
  if (was === is) return []
  const [from, to] = [was, is].map((weight) => (weight === undefined ? 'the default' : String(weight)))
  // Without a weight objects cost one and leaves nothing: the cheapest there is, for everything but mutations.
  const raised = (is ?? 0) > (was ?? 0)
  return [
    {
      code: raised ? 'COST_RAISED' : 'COST_LOWERED',
      severity: raised ? 'dangerous' : 'safe',
      coordinate,
      message: `${coordinate} cost ${from} and costs ${to} now`,
      from,
      to,
      affects: raised ? [coordinate, `~${coordinate}`] : [],
    },
  ]
}

function listSizeChange(coordinate: string, before: Costed, after: Costed): Change[] {
  const [from, to] = [before, after].map((of) => sizeText(directive(of, 'listSize')))
  if (from === to) return []
  return [
    {
      code: 'LIST_SIZE_CHANGED',
      severity: 'dangerous',
      coordinate,
      message: `@listSize of ${coordinate} was ${shown(from)} and is ${shown(to)} now`,
      from,
      to,
      affects: [coordinate, `~${coordinate}`],
    },
  ]
}

/** Names in any order, one name for a list of one, and what is the default anyway: the same text. */
function sizeText(size: AppliedDirective | null): string {
  if (!size) return 'null'
  const names = (value: unknown) => [...new Set([value ?? []].flat() as string[])].sort()
  const { assumedSize, slicingArguments, sizedFields, requireOneSlicingArgument = true } = size.args
  return canonical({
    ...(assumedSize !== undefined && assumedSize !== null && { assumedSize }),
    ...(names(slicingArguments).length > 0 && { slicingArguments: names(slicingArguments) }),
    ...(names(sizedFields).length > 0 && { sizedFields: names(sizedFields) }),
    ...(requireOneSlicingArgument !== true && { requireOneSlicingArgument }),
  })
}

function shown(args: string | undefined): string {
  return args === undefined || args === 'null' ? 'nothing' : args
}
