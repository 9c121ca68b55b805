import { existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { Fault } from '../fault'
import {
  namedType,
  visibleTo,
  type ArgumentModel,
  type FieldModel,
  type SchemaModel,
  type TypeModel,
} from '../schema-model'
import { isRequired } from '../diff/type-references'
import { tagNames } from '../versions/tags'

/** A part of the graph for one audience, selected by tags. */
export interface Contract {
  name: string
  /** Fields with one of these tags, or of a type with one, are shown; all fields when empty. */
  include: readonly string[]
  /** Tags that hide what carries one of them, whatever else it carries. */
  exclude: readonly string[]
}

export interface ContractSchema {
  schema: SchemaModel
  /** Coordinates of the graph that the contract hides; what lies inside them is hidden with them. */
  hidden: ReadonlySet<string>
  /** Why the contract cannot be served. */
  faults: { coordinate: string; message: string }[]
}

const tag = () => z.string().regex(/^[\w/-]+$/, 'is not a tag name')
const fileForm = () =>
  z.strictObject({
    contracts: z.record(
      z.string().regex(/^[a-z][\w-]*$/, 'is not a contract name: lower-case letters, digits, - and _'),
      z.strictObject({ include: z.array(tag()).default([]), exclude: z.array(tag()).default([]) }),
    ),
  })

/** Reads `schema/contracts.json`. No file, no contracts. */
export function readContracts(path: string): Contract[] {
  if (!existsSync(path)) return []
  let content: unknown
  try {
    content = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new Fault(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  const parsed = fileForm().safeParse(content)
  if (!parsed.success) {
    throw new Fault(
      parsed.error.issues.map((issue) => `${path}: ${issue.path.join('.')} ${issue.message}`).join('\n'),
    )
  }
  return Object.entries(parsed.data.contracts).map(([name, filter]) => ({ name, ...filter }))
}

/**
 * Returns what a contract shows of a supergraph.
 *
 * Fields of objects and interfaces are selected; arguments, input fields and enum values are shown unless excluded;
 * types are shown when something shown leads to them.
 */
export function contractSchema(supergraph: SchemaModel, contract: Contract): ContractSchema {
  const api = visibleTo(supergraph)
  const excluded = (of: Parameters<typeof tagNames>[0]) =>
    [...tagNames(of)].some((name) => contract.exclude.includes(name))
  const included = (...of: Parameters<typeof tagNames>[0][]) =>
    contract.include.length === 0 ||
    of.some((item) => [...tagNames(item)].some((name) => contract.include.includes(name)))
  const faults: ContractSchema['faults'] = []

  const selected = new Map<string, TypeModel>()
  for (const type of api.types.values()) {
    if (excluded(type)) continue
    const inputs = (
      owner: string,
      items: ReadonlyMap<string, ArgumentModel>,
      coordinate: (name: string) => string,
    ) =>
      kept(items, (item) => {
        if (!excluded(item)) return true
        if (isRequired(item))
          faults.push({
            coordinate: coordinate(item.name),
            message: `the contract ${contract.name} hides ${coordinate(item.name)}, but ${owner} cannot be used without it`,
          })
        return false
      })
    const fields = new Map<string, FieldModel>()
    for (const field of type.fields.values()) {
      if (excluded(field) || !included(type, field)) continue
      const coordinate = `${type.name}.${field.name}`
      fields.set(field.name, {
        ...field,
        args: inputs(coordinate, field.args, (name) => `${coordinate}(${name}:)`),
      })
    }
    if (fields.size === 0 && type.fields.size > 0) continue
    selected.set(type.name, {
      ...type,
      fields,
      inputFields: inputs(type.name, type.inputFields, (name) => `${type.name}.${name}`),
      values: kept(type.values, (value) => !excluded(value)),
    })
  }
  const types = reachable(api, selected, contract.name, faults)
  const query = api.roots.query
  if (!query || !types.has(query))
    faults.push({
      coordinate: query ?? 'Query',
      message: `the contract ${contract.name} shows no field of ${query ?? 'Query'}`,
    })
  const schema: SchemaModel = { ...api, types, context: null }
  return { schema, hidden: hiddenIn(api, schema), faults }
}

/** Everything that something shown leads to. What leads to a hidden type is a fault. */
function reachable(
  api: SchemaModel,
  selected: ReadonlyMap<string, TypeModel>,
  contract: string,
  faults: ContractSchema['faults'],
): Map<string, TypeModel> {
  const types = new Map<string, TypeModel>()
  const waiting = Object.values(api.roots).filter((root) => selected.has(root))
  for (const { args } of api.directives.values())
    for (const { type } of args.values()) waiting.push(namedType(type))
  const need = (coordinate: string, typeName: string) => {
    if (selected.has(typeName)) waiting.push(typeName)
    else if (api.types.has(typeName))
      faults.push({
        coordinate,
        message: `the contract ${contract} shows ${coordinate}, but hides its type ${typeName}`,
      })
  }
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const type = selected.get(name)
    if (!type || types.has(name)) continue
    const interfaces = new Set([...type.interfaces].filter((item) => selected.has(item)))
    const members = new Set([...type.members].filter((item) => selected.has(item)))
    types.set(name, { ...type, interfaces, members })
    for (const field of type.fields.values()) {
      need(`${name}.${field.name}`, namedType(field.type))
      for (const argument of field.args.values())
        need(`${name}.${field.name}(${argument.name}:)`, namedType(argument.type))
    }
    for (const field of type.inputFields.values()) need(`${name}.${field.name}`, namedType(field.type))
    waiting.push(...interfaces, ...members)
    if (type.kind === 'interface') {
      waiting.push(
        ...[...selected.values()].filter((item) => item.interfaces.has(name)).map((item) => item.name),
      )
    }
    if (type.kind === 'union' && members.size === 0)
      faults.push({ coordinate: name, message: `the contract ${contract} hides all members of ${name}` })
    if (type.kind === 'enum' && type.values.size === 0)
      faults.push({ coordinate: name, message: `the contract ${contract} hides all values of ${name}` })
  }
  return types
}

function hiddenIn(api: SchemaModel, shown: SchemaModel): Set<string> {
  const hidden = new Set<string>()
  for (const type of api.types.values()) {
    const kept = shown.types.get(type.name)
    if (!kept) {
      hidden.add(type.name)
      continue
    }
    for (const field of type.fields.values()) {
      const keptField = kept.fields.get(field.name)
      if (!keptField) hidden.add(`${type.name}.${field.name}`)
      else
        for (const name of field.args.keys())
          if (!keptField.args.has(name)) hidden.add(`${type.name}.${field.name}(${name}:)`)
    }
    for (const name of type.inputFields.keys())
      if (!kept.inputFields.has(name)) hidden.add(`${type.name}.${name}`)
    for (const name of type.values.keys()) if (!kept.values.has(name)) hidden.add(`${type.name}.${name}`)
  }
  return hidden
}

function kept<T>(items: ReadonlyMap<string, T>, keep: (item: T) => boolean): ReadonlyMap<string, T> {
  return items.size === 0 ? items : new Map([...items].filter(([, item]) => keep(item)))
}
