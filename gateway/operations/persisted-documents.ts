import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { GraphQLError } from 'graphql'
import { z } from 'zod'
import { ApiError } from '../../kernel/errors'
import type { RequestRecord } from '../context'
import { json } from '../http/http-response'
import { apiKeyHeader } from './api-key-viewer'
import type { FrontRequest, OperationPipeline } from './operation-pipeline'

/**
 * Which documents are executed: any, or only those of the manifests. With `known-without-key` programs, which come with an API
 * key, send any, and everybody else, which is people at screens, those of the manifests.
 */
export type AcceptedDocuments = 'any' | 'known' | 'known-without-key'

/** Documents that clients name instead of sending them. */
export interface PersistedDocuments {
  /** By the manifest's id, and by the SHA-256 of the text. */
  textOf(id: string): string | undefined
  has(text: string): boolean
  size: number
}

const manifest = z.object({
  format: z.literal('apollo-persisted-query-manifest'),
  version: z.literal(1),
  operations: z.array(z.object({ id: z.string().min(1).max(200), body: z.string().min(1) })),
})

/**
 * Reads manifests of persisted documents, as `schema operations --manifest` writes them.
 * @param pages texts of further documents: those that pages of ours send
 * @throws Error that names the file: it is not there, is no manifest, or gives an id to another text
 */
export function readPersistedDocuments(
  files: readonly string[],
  pages: readonly string[] = [],
): PersistedDocuments {
  const texts = new Map<string, string>()
  const known = new Set(pages)
  for (const text of pages) texts.set(createHash('sha256').update(text).digest('hex'), text)
  for (const file of files) {
    for (const { id, body } of readManifest(file).operations) {
      if ((texts.get(id) ?? body) !== body)
        throw new Error(`${file}: the id ${id} stands for another document already`)
      texts.set(id, body)
      texts.set(createHash('sha256').update(body).digest('hex'), body)
      known.add(body)
    }
  }
  return { textOf: (id) => texts.get(id), has: (text) => known.has(text), size: known.size }
}

function readManifest(file: string): z.infer<typeof manifest> {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Error(
      `${file} cannot be read as a manifest of persisted documents: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    )
  }
  const parsed = manifest.safeParse(content)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new Error(
    `${file} is no manifest of persisted documents (${issue?.path.join('.')} ${issue?.message}): "npm run schema -- operations --manifest FILE" writes one`,
  )
}

/**
 * Puts the text in place of `documentId`, and of a persisted query's hash that stands for a known document, before
 * anything else looks at the request; with `known`, refuses every other text. What follows sees an ordinary request.
 *
 * `documentId` is that of the GraphQL over HTTP specification's appendix on persisted documents: `sha256:` and a hash,
 * or an id of the manifest. In the body of a POST, or in the query of a GET.
 */
export function withPersistedDocuments(
  front: Pick<OperationPipeline, 'answer'>,
  documents: PersistedDocuments,
  accepted: AcceptedDocuments,
  formatError: (error: unknown, record: RequestRecord) => object,
): Pick<OperationPipeline, 'answer'> {
  return {
    async answer(request, record, context) {
      let completed: FrontRequest
      try {
        completed = complete(request, documents, accepted)
      } catch (error) {
        return json(400, { errors: [formatError(error, record)] })
      }
      return front.answer(completed, record, context)
    },
  }
}

function complete(
  request: FrontRequest,
  documents: PersistedDocuments,
  mode: AcceptedDocuments,
): FrontRequest {
  const { method, search, body, headers } = request
  // Who sends a key is the key's owner, or refused: nobody comes with a key that counts for nothing.
  const hasKey = headers[apiKeyHeader] !== undefined
  const accepted = mode === 'known-without-key' ? (hasKey ? 'any' : 'known') : mode
  if (method === 'GET') {
    const parameters = new URLSearchParams(search)
    const given = Object.fromEntries(parameters)
    const completed = withText({ ...given, extensions: parsedJson(given['extensions']) }, documents, accepted)
    if (!completed) return request
    parameters.delete('documentId')
    if (!completed.extensions) parameters.delete('extensions')
    else parameters.set('extensions', JSON.stringify(completed.extensions))
    parameters.set('query', completed.query)
    return { ...request, search: `?${parameters.toString()}` }
  }
  if (!isRecord(body)) return request
  const completed = withText(body, documents, accepted)
  return completed ? { ...request, body: completed } : request
}

/** The request with its text; null when it stays as it is. @throws ApiError when it is refused */
function withText(
  sent: Record<string, unknown>,
  documents: PersistedDocuments,
  accepted: AcceptedDocuments,
): (Record<string, unknown> & { query: string }) | null {
  const { documentId, query, extensions, ...rest } = sent
  const { persistedQuery, ...others } = isRecord(extensions) ? extensions : {}
  const hash = isRecord(persistedQuery) ? persistedQuery['sha256Hash'] : undefined
  if (documentId !== undefined && documentId !== null) {
    if (query !== undefined || hash !== undefined)
      throw new ApiError('BAD_USER_INPUT', 'Send either documentId or a text, not both')
    if (typeof documentId !== 'string') throw new ApiError('BAD_USER_INPUT', 'documentId must be a text')
    const text = documents.textOf(documentId.replace(/^sha256:/, ''))
    if (text === undefined) throw notFound()
    return { ...rest, ...(extensions !== undefined && { extensions }), query: text }
  }
  if (query === undefined && typeof hash === 'string') {
    const text =
      isRecord(persistedQuery) && persistedQuery['version'] === 1 ? documents.textOf(hash) : undefined
    const isLeft = Object.keys(others).length > 0
    if (text !== undefined) return { ...rest, ...(isLeft && { extensions: others }), query: text }
    if (accepted === 'known') throw notFound()
  }
  if (accepted === 'known' && typeof query === 'string' && !documents.has(query)) {
    throw new ApiError(
      'DOCUMENT_NOT_KNOWN',
      'Only documents that were registered are executed here: send documentId, or register this one in the manifest of persisted documents (PERSISTED_DOCUMENTS)',
    )
  }
  return null
}

/** The protocol's own answer: clients that can send the text do so then. */
function notFound(): GraphQLError {
  return new GraphQLError('PersistedQueryNotFound', { extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } })
}

function parsedJson(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
