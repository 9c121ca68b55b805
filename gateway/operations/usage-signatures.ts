import { createHash } from 'node:crypto'
import { Kind, print, visit, type DocumentNode, type OperationDefinitionNode, type TypeNode } from 'graphql'
import { LRUCache } from 'lru-cache'
import type { SchemaModel } from '../../registry/schema-model'
import { addVariable, coordinatesOf, hasDefault } from '../../registry/usage/coordinates'
import { complete } from '../../registry/usage/vocabulary'

/** An operation as it is recorded, worked out once for each document. */
export interface Signature {
  hash: string
  name: string
  document: string
  coordinates: Set<string>
  /** Variables whose values hold enum values or input fields. */
  variables: [name: string, type: string][]
  /** Variables with a default that were never null. */
  defaulted: Set<string>
}

/** Bytes of the signatures that are kept, about. */
const maxKnownBytes = 32_000_000

/** The signatures of operations, each worked out once for one supergraph. */
export class Signatures {
  readonly #known = new LRUCache<string, Signature>({
    maxSize: maxKnownBytes,
    sizeCalculation: ({ document, coordinates }) => 1000 + 2 * document.length + 100 * coordinates.size,
  })
  readonly #byDocument = new WeakMap<DocumentNode, Map<string, Signature>>()

  constructor(readonly schema: SchemaModel) {}

  /** @param keeps whether the signature outlives the document */
  of(document: DocumentNode, operation: OperationDefinitionNode, keeps: boolean): Signature {
    const name = operation.name?.value ?? ''
    let ofDocument = this.#byDocument.get(document)
    if (!ofDocument) this.#byDocument.set(document, (ofDocument = new Map()))
    let signature = ofDocument.get(name)
    if (!signature) {
      signature = makeSignature(this.schema, document, operation)
      // The same operation arrives as other documents too: in another layout, or after the parsed one was dropped.
      signature = this.#known.get(signature.hash) ?? signature
      if (keeps) this.#known.set(signature.hash, signature)
      ofDocument.set(name, signature)
    }
    return signature
  }

  /** Adds to a signature what the variables of a request use. */
  addVariables(
    { variables, defaulted, coordinates }: Signature,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    held: Readonly<Record<string, unknown>>,
  ): void {
    for (const [name, type] of variables) addVariable(this.schema, type, held[name], coordinates)
    for (const name of defaulted) {
      if (held[name] !== null) continue
      defaulted.delete(name)
      const marks = coordinatesOf(this.schema, documentOf(document, operation), { [name]: null })
      for (const mark of marks) coordinates.add(mark)
    }
  }
}

function makeSignature(
  schema: SchemaModel,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): Signature {
  const used = documentOf(document, operation)
  const normal = print(withoutValues(used))
  return {
    // Records of another vocabulary are others: what they lack must not pass for what an operation did not do.
    hash: createHash('sha256').update(`${complete} ${normal}`).digest('hex').slice(0, 32),
    name: operation.name?.value.slice(0, 128) ?? '',
    document: normal.slice(0, 20_000),
    coordinates: coordinatesOf(schema, used),
    variables: (operation.variableDefinitions ?? []).flatMap(({ variable, type }): [string, string][] => {
      const kind = schema.types.get(namedTypeOf(type))?.kind
      return kind === 'enum' || kind === 'input' ? [[variable.name.value, namedTypeOf(type)]] : []
    }),
    defaulted: new Set(
      operation.variableDefinitions?.filter(hasDefault).map(({ variable }) => variable.name.value),
    ),
  }
}

/** The operation with the fragments of its document. */
function documentOf(document: DocumentNode, operation: OperationDefinitionNode): DocumentNode {
  const others = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION)
  return others.length === 1
    ? document
    : {
        ...document,
        definitions: document.definitions.filter(
          (node) => node.kind !== Kind.OPERATION_DEFINITION || node === operation,
        ),
      }
}

/** Literals and aliases are what a client wrote for itself, and may be anything: they leave no trace. */
function withoutValues(document: DocumentNode): DocumentNode {
  return visit(document, {
    IntValue: (node) => ({ ...node, value: '0' }),
    FloatValue: (node) => ({ ...node, value: '0' }),
    StringValue: (node) => ({ ...node, value: '', block: false }),
    ListValue: { leave: (node) => ({ ...node, values: [] }) },
    ObjectValue: { leave: (node) => ({ ...node, fields: [] }) },
    Field: (node) => ({ ...node, alias: undefined }),
  })
}

function namedTypeOf(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedTypeOf(type.type)
}
