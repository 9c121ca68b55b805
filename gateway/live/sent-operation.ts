import { Lexer, Source, TokenKind, type Token } from 'graphql'
import type { FrontRequest } from '../operations/operation-pipeline'

/** An operation as it was sent. */
export interface Sent {
  query: string
  operationName: string | undefined
  variables: Record<string, unknown>
}

/** The operation of a request; null when it has none of the usual form, which the ordinary way refuses. */
export function sentIn({ method, search, body }: FrontRequest): Sent | null {
  const given = method === 'GET' ? fromSearch(search) : body
  if (!isRecord(given)) return null
  const { query, operationName = null, variables = null } = given
  if (typeof query !== 'string') return null
  if (operationName !== null && typeof operationName !== 'string') return null
  if (variables !== null && !isRecord(variables)) return null
  return { query, operationName: operationName ?? undefined, variables: variables ?? {} }
}

/**
 * Tells whether a request asks for a subscription, by the words with which its definitions begin: that costs no more than reading
 * the text once, and is known before anybody knows who asks.
 * @param mostTokens of a text that is looked at; one with more is refused on the ordinary way
 */
export function isSubscription({ query, operationName }: Sent, mostTokens: number): boolean {
  // Most texts do not have the word at all.
  if (!query.includes('subscription')) return false
  try {
    const operations = operationsIn(query, mostTokens)
    const asked =
      operationName === undefined
        ? operations.length === 1
          ? operations[0]
          : undefined
        : operations.find(({ name }) => name === operationName)
    return asked?.kind === 'subscription'
  } catch {
    return false
  }
}

function operationsIn(query: string, mostTokens: number): { kind: string; name: string | null }[] {
  const lexer = new Lexer(new Source(query))
  const found: { kind: string; name: string | null }[] = []
  let depth = 0
  let isBegin = true
  for (let count = 0, token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) {
    if (++count > mostTokens) return []
    if (isBegin && token.kind === TokenKind.BRACE_L) found.push({ kind: 'query', name: null })
    if (isBegin && token.kind === TokenKind.NAME && token.value !== 'fragment')
      found.push({ kind: token.value, name: nameIn(lexer.lookahead()) })
    depth += change(token)
    isBegin = depth === 0 && token.kind === TokenKind.BRACE_R
  }
  return found
}

const nameIn = ({ kind, value }: Token): string | null => (kind === TokenKind.NAME ? value : null)

const opening: ReadonlySet<string> = new Set([TokenKind.BRACE_L, TokenKind.PAREN_L, TokenKind.BRACKET_L])
const closing: ReadonlySet<string> = new Set([TokenKind.BRACE_R, TokenKind.PAREN_R, TokenKind.BRACKET_R])
const change = ({ kind }: Token): number => (opening.has(kind) ? 1 : closing.has(kind) ? -1 : 0)

function fromSearch(search: string): unknown {
  const given = Object.fromEntries(new URLSearchParams(search))
  const { variables } = given
  if (variables === undefined) return given
  try {
    return { ...given, variables: JSON.parse(variables) as unknown }
  } catch {
    return null
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
