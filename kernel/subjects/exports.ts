import { blobs } from '../blobs'
import type { SubgraphContext } from '../context'
import { keyIdOf } from '../encryption/cipher'
import { subgraphNames, type SubgraphName } from '../schema/subgraph-names'
import type { MutationTransaction } from '../writing/mutation-transaction'

/** Bytes of a file, about: it is held in memory once when it is written, and once when it is read. */
const mostOfFile = 4_000_000
/** Bytes of the files that one download gives, about: a file is never given in halves. */
export const mostOfPart = 10_000_000

/** A row as the person is given it. */
export interface GivenRow {
  type: string
  id: unknown
  fields: Record<string, unknown>
}

/** A file of what a subgraph found. */
export interface ExportFile {
  key: string
  subgraph: SubgraphName
  /** Its place among the subgraph's, from 1. */
  number: number
  bytes: number
}

/** The last line of a file: how many stand before it, and whether another file follows. */
interface FileEnd {
  lines: number
  isLast: boolean
}

type Asked = { requestId: string; subgraph: SubgraphName }
type Send = Pick<MutationTransaction, 'rows'>

const folderOf = (requestId: string): string => `subject-requests/${requestId}/`

/** Binds a line to its request, subgraph, file and number: none can be left out, moved or brought from elsewhere. */
const placeOf = (tenantId: string, { requestId, subgraph }: Asked, file: number, line: number | 'end') =>
  `subject data|${tenantId}|${requestId}|${subgraph}|${file}|${line}`

/** Removes the files of a request, or those that one subgraph wrote. */
export async function removeExport(
  context: SubgraphContext,
  requestId: string,
  subgraph?: SubgraphName,
): Promise<void> {
  const store = blobs(context)
  const keys: string[] = []
  for await (const key of store.list(folderOf(requestId) + (subgraph ? `${subgraph}/` : ''))) keys.push(key)
  for (const key of keys) await store.delete(key)
}

/** Writes what was found in files, encrypted with the request's own key: one at least, also of nothing. Asked again, it is written anew. */
export async function writeExport(
  context: SubgraphContext,
  tx: Send,
  asked: Asked,
  rows: AsyncIterable<GivenRow>,
): Promise<void> {
  const tenantId = context.binding.tenantId!
  const { dataKeys } = context.services
  const send = (statement: Parameters<Send['rows']>[0]) => tx.rows(statement)
  const [tenantKey] = await dataKeys.ofTenant(send, tenantId)
  const key = await dataKeys.ofSubject(send, tenantId, asked.requestId, tenantKey!)
  await removeExport(context, asked.requestId, asked.subgraph)
  let [file, bytes, lines] = [1, 0, [] as string[]]
  const write = async (isLast: boolean) => {
    const end: FileEnd = { lines: lines.length, isLast }
    const text = [...lines, key.encrypt(placeOf(tenantId, asked, file, 'end'), JSON.stringify(end))].join(
      '\n',
    )
    const name = `${folderOf(asked.requestId)}${asked.subgraph}/${String(file).padStart(6, '0')}`
    await blobs(context).put(name, [Buffer.from(`${text}\n`)])
    ;[file, bytes, lines] = [file + 1, 0, []]
  }
  for await (const row of rows) {
    const line = key.encrypt(placeOf(tenantId, asked, file, lines.length), JSON.stringify(row))
    lines.push(line)
    bytes += line.length
    if (bytes >= mostOfFile) await write(false)
  }
  await write(true)
}

/** The files of a request by subgraph; null when a subgraph has none: they are gone. */
export async function exportFiles(context: SubgraphContext, requestId: string): Promise<ExportFile[] | null> {
  const files: ExportFile[] = []
  for (const subgraph of subgraphNames) {
    const before = files.length
    for await (const key of blobs(context).list(`${folderOf(requestId)}${subgraph}/`)) {
      const info = await blobs(context).info(key)
      if (info) files.push({ key, subgraph, number: files.length - before + 1, bytes: info.bytes })
    }
    if (files.length === before) return null
  }
  return files
}

/** The files that downloads give one after the other: as many together as come to {@link mostOfPart} bytes, one at least. */
export function partsOf(files: readonly ExportFile[]): ExportFile[][] {
  const parts: ExportFile[][] = []
  let bytes = 0
  for (const file of files) {
    const isFull = parts.length === 0 || bytes + file.bytes > mostOfPart
    if (isFull) parts.push([])
    bytes = (isFull ? 0 : bytes) + file.bytes
    parts.at(-1)!.push(file)
  }
  return parts
}

/**
 * The rows of a file, as JSON texts; null when it is gone, or its key was destroyed.
 * @param isLast whether it is the last one of its subgraph
 * @throws Error when a line was changed, moved or left out
 */
export async function readExportFile(
  context: SubgraphContext,
  tx: Send,
  requestId: string,
  { key: name, subgraph, number }: ExportFile,
  isLast: boolean,
): Promise<string[] | null> {
  const tenantId = context.binding.tenantId!
  const file = await blobs(context).get(name)
  if (!file) return null
  const pieces: Buffer[] = []
  for await (const piece of file.body) pieces.push(piece as Buffer)
  const lines = Buffer.concat(pieces).toString().trimEnd().split('\n')
  const { dataKeys } = context.services
  await dataKeys.load(
    (statement) => tx.rows(statement),
    tenantId,
    new Set(lines.map((line) => keyIdOf(line) ?? '')),
  )
  const texts: string[] = []
  for (const [place, line] of lines.entries()) {
    const key = dataKeys.known(tenantId, keyIdOf(line) ?? '')
    if (key === null) return null
    if (!key) throw dataKeys.faultOf(tenantId, keyIdOf(line) ?? '')
    const at = place === lines.length - 1 ? 'end' : place
    texts.push(key.decrypt(placeOf(tenantId, { requestId, subgraph }, number, at), line))
  }
  const end = JSON.parse(texts.pop()!) as FileEnd
  if (end.lines !== texts.length || end.isLast !== isLast)
    throw new Error(`Files of the request ${requestId} are missing: ${subgraph}`)
  return texts
}
