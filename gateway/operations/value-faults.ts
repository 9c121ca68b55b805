import {
  GraphQLError,
  Kind,
  specifiedRules,
  ValuesOfCorrectTypeRule,
  visit,
  type ASTNode,
  type DocumentNode,
  type FloatValueNode,
  type IntValueNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql'
import { inexact, isExactNumber } from '../../kernel/schema/exact-json'

/** A literal that is no value of its place. In a variable it would be refused with the same code. */
export class ValueFault extends GraphQLError {
  /** @param fault what a rule of validation says of the value */
  constructor(document: DocumentNode, fault: GraphQLError) {
    const [value] = fault.nodes ?? []
    const place = value ? placeOf(document, value) : ''
    super(`Invalid value${place && ` at "${place}"`}; ${fault.message}`, { nodes: fault.nodes })
  }
}

/** The path of a value below its field, as `input.features.n`; empty when it is in no argument. */
function placeOf(document: DocumentNode, value: ASTNode): string {
  const names: string[] = []
  let place = ''
  const isNamed = (node: ASTNode) => node.kind === Kind.ARGUMENT || node.kind === Kind.OBJECT_FIELD
  visit(document, {
    enter(node) {
      if (isNamed(node)) names.push(node.name.value)
      if (node === value) place = names.join('.')
    },
    leave(node) {
      if (isNamed(node)) names.pop()
    },
  })
  return place
}

/** graphql-js's rule. What a scalar throws need not say about which literal; the one that is looked at is known here. */
const typesRule: ValidationRule = (context) => {
  let looked: ASTNode | undefined
  const reportError = (fault: GraphQLError) => {
    const placed = fault.nodes?.length ? fault : new GraphQLError(fault.message, { nodes: looked })
    context.reportError(new ValueFault(context.getDocument(), placed))
  }
  const visitor = ValuesOfCorrectTypeRule(
    Object.create(context, { reportError: { value: reportError } }) as ValidationContext,
  )
  const checks = Object.entries(visitor) as [string, (node: ASTNode) => unknown][]
  return Object.fromEntries(
    checks.map(([kind, check]) => [kind, (node: ASTNode) => ((looked = node), check(node))]),
  )
}

const exactNumbersRule: ValidationRule = (context) => {
  const check = (node: IntValueNode | FloatValueNode) => {
    if (isExactNumber(node.value)) return
    const fault = new GraphQLError(inexact(node.value), { nodes: node })
    context.reportError(new ValueFault(context.getDocument(), fault))
  }
  return { IntValue: check, FloatValue: check }
}

/** The rules of the GraphQL specification, with {@link ValueFault} for literals; numbers that would be rounded are faults. */
export const validationRules: readonly ValidationRule[] = [
  ...specifiedRules.map((rule) => (rule === ValuesOfCorrectTypeRule ? typesRule : rule)),
  exactNumbersRule,
]
