import { Kind, valueFromASTUntyped, visit } from 'graphql'
import type {
  ConstDirectiveNode,
  DocumentNode,
  FieldDefinitionNode,
  ObjectTypeDefinitionNode,
  ObjectTypeExtensionNode,
  TypeNode,
} from 'graphql'

/**
 * One thing that must hold. `anyOf` is as the directives write it: any of the groups suffices, and all of a group must
 * hold. `@authenticated` is the scopes `[[]]`: somebody, without any scope.
 */
export interface Requirement {
  kind: 'scopes' | 'policies'
  anyOf: readonly (readonly string[])[]
  /** Tells whether it can hold for a viewer who must change the password first. */
  beforePasswordChange?: boolean
  /** Tells whether it holds for a person alone, who signed in, and not for a key. */
  inPerson?: boolean
  /** Tells whether it holds only for who has proved lately who they are. */
  stepUp?: boolean
}

/** Describes what one type or field declares: requirements that must all hold, or that it is open to everybody. */
export interface Access {
  isPublic: boolean
  requirements: readonly Requirement[]
}

/** A field of an object type, as its SDL declares it. */
export interface FieldDeclaration {
  type: string
  field: string
  /** The named type the field returns, without list and non-null. */
  returns: string
  nullable: boolean
  /** Tells whether its value comes from another subgraph, in the representation. */
  external: boolean
  access: Access | null
  /** Tells whether it is open to a viewer who must change the password first: `@beforePasswordChange`. */
  beforePasswordChange: boolean
  /** Tells whether it is closed to keys: `@inPerson`. */
  inPerson: boolean
  /** Tells whether it asks for a recent proof of who it is: `@stepUp`. */
  stepUp: boolean
}

/** An object type, as its SDL and extensions declare it. */
export interface TypeDeclaration {
  name: string
  /** Fields of its keys; empty when the type is no entity. */
  keyFields: ReadonlySet<string>
  /** Tells whether this subgraph answers references to it; false when every key says `resolvable: false`. */
  resolvable: boolean
  access: Access | null
  fields: ReadonlyMap<string, FieldDeclaration>
}

/** Everything the SDL of one subgraph says about who may read what. */
export interface Declarations {
  types: ReadonlyMap<string, TypeDeclaration>
  /** Declarations that could not be enforced. */
  faults: readonly string[]
}

const accessDirectives = new Set(['public', 'authenticated', 'requiresScopes', 'policy'])
export const rootTypes: ReadonlySet<string> = new Set(['Query', 'Mutation'])

/**
 * Tells whether a type is a Relay wrapper. Its rows come only through the field that returns the wrapper, so that is
 * where their access is checked: once per list instead of once per row.
 */
export function isWrapper(typeName: string): boolean {
  return typeName.endsWith('Connection') || typeName.endsWith('Edge')
}

/** Reads the access declarations of a subgraph's SDL; a type and its extensions declare together. */
export function readDeclarations(typeDefs: DocumentNode): Declarations {
  const faults: string[] = []
  const nodesOf = new Map<string, (ObjectTypeDefinitionNode | ObjectTypeExtensionNode)[]>()
  for (const node of typeDefs.definitions) {
    if (node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.OBJECT_TYPE_EXTENSION)
      nodesOf.set(node.name.value, [...(nodesOf.get(node.name.value) ?? []), node])
    else refuseAccessDirectives(node, faults)
  }
  const types = new Map<string, TypeDeclaration>()
  for (const [name, nodes] of nodesOf) {
    const directives = nodes.flatMap((node) => node.directives ?? [])
    const keys = directives.filter((directive) => directive.name.value === 'key')
    const fields = nodes.flatMap((node) => node.fields ?? [])
    types.set(name, {
      name,
      keyFields: new Set(keys.flatMap(keyFieldNames)),
      resolvable: keys.some((key) => argument(key, 'resolvable') !== false),
      access: accessOf(name, directives, faults),
      fields: new Map(fields.map((field) => [field.name.value, fieldDeclaration(name, field, faults)])),
    })
    if (isWrapper(name) && keys.length > 0)
      faults.push(`${name}: names in Connection and Edge are for Relay wrappers, which are no entities`)
  }
  return { types, faults }
}

function fieldDeclaration(type: string, node: FieldDefinitionNode, faults: string[]): FieldDeclaration {
  const field = node.name.value
  const has = (directive: string) => (node.directives ?? []).some(({ name }) => name.value === directive)
  return {
    type,
    field,
    returns: namedType(node.type),
    nullable: node.type.kind !== Kind.NON_NULL_TYPE,
    external: has('external'),
    access: accessOf(`${type}.${field}`, node.directives ?? [], faults),
    beforePasswordChange: has('beforePasswordChange'),
    inPerson: has('inPerson'),
    stepUp: has('stepUp'),
  }
}

function accessOf(place: string, directives: readonly ConstDirectiveNode[], faults: string[]): Access | null {
  const found = directives.filter((directive) => accessDirectives.has(directive.name.value))
  if (found.length === 0) return null
  const isPublic = found.some((directive) => directive.name.value === 'public')
  if (isPublic && found.length > 1) faults.push(`${place} is @public and restricted at once: choose one`)
  const requirements = found.flatMap((directive): Requirement[] => {
    if (directive.name.value === 'authenticated') return [{ kind: 'scopes', anyOf: [[]] }]
    if (directive.name.value === 'requiresScopes')
      return [{ kind: 'scopes', anyOf: groups(directive, 'scopes') }]
    if (directive.name.value === 'policy') return [{ kind: 'policies', anyOf: groups(directive, 'policies') }]
    return []
  })
  if (requirements.some(({ anyOf }) => anyOf.length === 0))
    faults.push(`${place} lists no alternative, which nobody could meet: name scopes or policies`)
  return { isPublic, requirements }
}

function refuseAccessDirectives(node: DocumentNode['definitions'][number], faults: string[]): void {
  if (node.kind === Kind.DIRECTIVE_DEFINITION) return
  const place = 'name' in node && node.name ? node.name.value : node.kind
  visit(node, {
    Directive(directive) {
      if (accessDirectives.has(directive.name.value))
        faults.push(`${place}: @${directive.name.value} is enforced on object types and their fields only`)
    },
  })
}

function groups(directive: ConstDirectiveNode, name: string): string[][] {
  return (argument(directive, name) ?? []) as string[][]
}

function argument(directive: ConstDirectiveNode, name: string): unknown {
  const found = directive.arguments?.find((one) => one.name.value === name)
  return found && valueFromASTUntyped(found.value)
}

function keyFieldNames(key: ConstDirectiveNode): string[] {
  return String(argument(key, 'fields')).match(/\w+/g) ?? []
}

function namedType(node: TypeNode): string {
  return node.kind === Kind.NAMED_TYPE ? node.name.value : namedType(node.type)
}
