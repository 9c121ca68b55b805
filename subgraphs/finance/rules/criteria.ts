import { Environment, type ASTNode, type ParseResult } from '@marcbachmann/cel-js'

/** Facts of a sale: everything that an expression sees. */
export interface SaleFacts {
  /** The whole sale in units of its currency, whatever part of it is somebody's. */
  amount: number
  currency: string
  /** Empty when not filed. */
  category: string
  /** YYYY-MM-DD, which compares as texts do. */
  day: string
}

/** The longest expression, in characters. */
export const longestCriteria = 1000

// The Common Expression Language (cel.dev) always ends; these bounds say how soon.
const environment = new Environment({
  limits: { maxAstNodes: 200, maxDepth: 20, maxListElements: 50, maxMapEntries: 0, maxCallArguments: 2 },
})
  .registerVariable('amount', 'double')
  .registerVariable('currency', 'string')
  .registerVariable('category', 'string')
  .registerVariable('day', 'string')

const operators: ReadonlySet<string> = new Set([
  ...['value', 'id', 'list', '==', '!=', '<', '<=', '>', '>=', 'in', '&&', '||', '!_', '-_', '?:'],
  ...['call', 'rcall'],
])
const functions: ReadonlySet<string> = new Set(['size', 'startsWith', 'endsWith', 'contains'])

const parsed = new Map<string, ParseResult>()

/**
 * Why a text is no condition on a sale, or null: it is CEL of the type bool over `amount`, `currency`, `category` and `day`,
 * and does nothing that could fail or last: it compares, combines with logic, looks into lists and asks four functions
 * of texts. So neither arithmetic (overflow, division) nor `matches` (backtracking) nor macros (nested loops).
 */
export function criteriaFault(text: string): string | null {
  if (text === '' || text.length > longestCriteria) return `has 1 to ${longestCriteria} characters`
  const { valid, type, error } = environment.check(text)
  if (!valid) return `is no CEL expression: ${firstLine(error?.message ?? '')}`
  if (type !== 'bool') return `must be true or false, and is of the type ${type}`
  return refusedPart(environment.parse(text).ast)
}

/** Tells whether a sale meets criteria, which have no fault. */
export function meets(criteria: string, facts: SaleFacts): boolean {
  const known = parsed.get(criteria)
  if (known) return known(facts) === true
  // A few for each tenant that is worked for; a process that has seen many begins anew.
  if (parsed.size >= 1000) parsed.clear()
  const evaluate = environment.parse(criteria)
  parsed.set(criteria, evaluate)
  return evaluate(facts) === true
}

const firstLine = (message: string): string => message.split('\n')[0]!.slice(0, 200)

function refusedPart(node: unknown): string | null {
  if (Array.isArray(node)) return node.map(refusedPart).find((fault) => fault !== null) ?? null
  if (!isNode(node)) return null
  const { op, args } = node
  if (!operators.has(op)) return `may not use ${op}`
  if ((op === 'call' || op === 'rcall') && !functions.has(String(args[0])))
    return `may not use ${String(args[0])}()`
  return refusedPart(op === 'value' || op === 'id' ? [] : args)
}

interface Part {
  op: string
  args: readonly unknown[]
}

const isNode = (node: unknown): node is Part & ASTNode =>
  typeof node === 'object' && node !== null && 'op' in node
