import { Kind, valueFromASTUntyped } from 'graphql'
import type { ConstDirectiveNode, DefinitionNode, FieldDefinitionNode, StringValueNode } from 'graphql'

type Described = { description?: StringValueNode; directives?: readonly ConstDirectiveNode[] }

/** The definitions, where what asks for scopes or for a recent proof of who asks says so in its description as well. */
export function withToldAccess(definitions: readonly DefinitionNode[]): DefinitionNode[] {
  return definitions.map((node) => {
    if (node.kind !== Kind.OBJECT_TYPE_DEFINITION && node.kind !== Kind.OBJECT_TYPE_EXTENSION) return node
    const fields = node.fields?.map((field): FieldDefinitionNode => told(field))
    return { ...(node.kind === Kind.OBJECT_TYPE_DEFINITION ? told(node) : node), fields }
  })
}

function told<N extends Described>(node: N): N {
  const sentences = (node.directives ?? []).flatMap((directive) => {
    if (directive.name.value === 'stepUp') return ['Asks for a recent `stepUp`.']
    if (directive.name.value !== 'requiresScopes') return []
    const [given] = directive.arguments ?? []
    return [`Needs ${scopesInWords((given ? valueFromASTUntyped(given.value) : []) as string[][])}.`]
  })
  if (sentences.length === 0) return node
  const said = node.description?.value.trim() ?? ''
  const value = [said, ...sentences].filter(Boolean).join(said.includes('\n') ? '\n' : ' ')
  return { ...node, description: { kind: Kind.STRING, value, block: value.includes('\n') } }
}

/** Returns alternatives of scopes as people say them: "`a` and `b`, or `c`". */
function scopesInWords(anyOf: readonly (readonly string[])[]): string {
  return anyOf.map((group) => group.map((scope) => `\`${scope}\``).join(' and ')).join(', or ')
}
