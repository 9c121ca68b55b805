import { Kind, TypeInfo, visit, visitWithTypeInfo } from 'graphql'
import type { ASTNode, DocumentNode, FieldNode, GraphQLError, GraphQLSchema } from 'graphql'
import { auditStatements, type AuditEntry } from '../writing/audit'
import type { SubgraphContext } from '../context'

/**
 * Says how many entries one user can cause in a subgraph per minute: a denial must not be a way to fill the audit
 * trail.
 */
const entriesPerMinute = 60

/** The types on which each field of a document is asked for. */
const askedOn = new WeakMap<DocumentNode, ReadonlyMap<ASTNode, readonly string[]>>()

function typesAsked(schema: GraphQLSchema, document: DocumentNode): ReadonlyMap<ASTNode, readonly string[]> {
  const known = askedOn.get(document)
  if (known) return known
  const found = new Map<ASTNode, readonly string[]>()
  const types = new TypeInfo(schema)
  visit(
    document,
    visitWithTypeInfo(types, {
      Field(node) {
        const parent = types.getParentType()?.name
        found.set(node, node.name.value === '_entities' ? representedTypes(node) : parent ? [parent] : [])
      },
    }),
  )
  askedOn.set(document, found)
  return found
}

/** The types that an `_entities` field of a query plan asks for. */
function representedTypes(node: FieldNode): string[] {
  return (node.selectionSet?.selections ?? []).flatMap((selection) =>
    selection.kind === Kind.INLINE_FRAGMENT ? (selection.typeCondition?.name.value ?? []) : [],
  )
}

/** Returns what was denied of an operation: one entry per type with its fields, however many rows were asked for. */
export function denials(
  schema: GraphQLSchema,
  document: DocumentNode,
  errors: readonly GraphQLError[],
): AuditEntry[] {
  const fields = new Map<string, Set<string>>()
  for (const { nodes, extensions } of errors) {
    if (extensions['code'] !== 'FORBIDDEN') continue
    for (const node of nodes ?? []) {
      if (node.kind !== Kind.FIELD) continue
      for (const type of typesAsked(schema, document).get(node) ?? [])
        fields.set(type, (fields.get(type) ?? new Set()).add(node.name.value))
    }
  }
  return [...fields].map(([resourceType, names]) => ({
    action: 'DENY',
    resourceType: resourceType.slice(0, 100),
    resourceId: null,
    changes: { denied: [...names].sort() },
  }))
}

/** Writes to the audit trail what a signed-in viewer was denied. Never throws: the answer is the denial, with or without. */
export async function auditDenials(
  context: SubgraphContext,
  schema: GraphQLSchema,
  document: DocumentNode,
  errors: readonly GraphQLError[],
): Promise<void> {
  const { tenantId, actorId } = context.binding
  const entries = tenantId ? denials(schema, document, errors) : []
  if (entries.length === 0) return
  try {
    const admitted: AuditEntry[] = []
    for (const entry of entries) {
      const key = `audit:denied:${tenantId}:${actorId}`
      const { allowed } = await context.services.rateLimit.consume(key, entriesPerMinute, 60_000)
      if (allowed) admitted.push(entry)
    }
    for (const statement of auditStatements(context, admitted))
      await context.db.rows(context.binding, statement)
  } catch (error) {
    context.log.error({ requestId: context.requestId, err: error }, 'a denial is missing in the audit trail')
  }
}
