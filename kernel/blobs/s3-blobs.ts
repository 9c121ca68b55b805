import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { Dispatcher } from 'undici'
import { unavailable } from '../errors'
import type { BlobInfo } from './blob-store'
import type { RawBlobs } from './checked'
import { measured, verified } from './measured'

export interface S3Settings {
  /** The address of the bucket: `https://host/bucket`, or `https://bucket.host`. */
  url: string
  region: string
  accessKeyId: string
  secretAccessKey: string
}

const patience = { headersTimeout: 30_000, bodyTimeout: 30_000 }
const attempts = 3
const firstPauseMs = 200
const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

interface S3Request {
  method: 'GET' | 'PUT' | 'HEAD' | 'DELETE'
  /** Behind the bucket. */
  path: string
  query?: Readonly<Record<string, string>>
  headers?: Readonly<Record<string, string>>
  /** In hexadecimal; part of the signature, so that the bucket refuses what was changed on the way. */
  sha256?: string
  /** Made anew for each attempt. */
  body?: () => Readable
}

interface S3Client {
  /** The answer to a request that may be repeated; null for 404. */
  ask(request: S3Request): Promise<Dispatcher.ResponseData | null>
  /** An address whose holder may read one file, for a time. */
  signedUrl(path: string, query: Readonly<Record<string, string>>): Promise<string>
}

/** Signs requests to a bucket, sends them, and sends again what failed for the moment. */
function s3Client({ url, region, accessKeyId, secretAccessKey }: S3Settings): S3Client {
  const bucket = url.replace(/\/+$/, '')
  const account = { region, accessKeyId, secretAccessKey, service: 's3' }
  // Loading both takes time, and most need none.
  const libraries = () => Promise.all([import('undici'), import('aws4fetch')])
  const addressOf = (path: string, query: Readonly<Record<string, string>>) => {
    const address = new URL(`${bucket}/${path}`)
    for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value)
    return address.href
  }

  async function once(request: S3Request): Promise<Dispatcher.ResponseData> {
    const { method, path, query = {}, headers = {}, sha256 = emptySha256, body } = request
    const [{ request: send }, { AwsV4Signer }] = await libraries()
    const signer = new AwsV4Signer({
      ...account,
      method,
      url: addressOf(path, query),
      headers: { ...headers, 'x-amz-content-sha256': sha256 },
    })
    const signed = await signer.sign()
    return send(signed.url, {
      ...patience,
      method,
      headers: Object.fromEntries(signed.headers.entries()),
      ...(body && { body: body() }),
    })
  }

  async function signedUrl(path: string, query: Readonly<Record<string, string>>): Promise<string> {
    const [, { AwsV4Signer }] = await libraries()
    const signer = new AwsV4Signer({
      ...account,
      method: 'GET',
      url: addressOf(path, query),
      signQuery: true,
    })
    return (await signer.sign()).url.href
  }

  return { ask: (request) => untilItAnswers(() => once(request)), signedUrl }
}

/** Sends again what failed for the moment; null for 404. */
async function untilItAnswers(
  send: () => Promise<Dispatcher.ResponseData>,
): Promise<Dispatcher.ResponseData | null> {
  for (let attempt = 1; ; attempt++) {
    let failure: unknown
    try {
      const answer = await send()
      if (answer.statusCode < 300) return answer
      const text = await answer.body.text()
      if (answer.statusCode === 404 && !text.includes('NoSuchBucket')) return null
      const [, code = ''] = /<Code>([\w.]{1,60})<\/Code>/.exec(text) ?? []
      failure = new Error(`the bucket answers ${answer.statusCode} ${code}`.trim())
      if (answer.statusCode < 500 && answer.statusCode !== 429) throw unavailable(undefined, failure)
    } catch (error) {
      if (isOurs(error)) throw error
      failure = error
    }
    if (attempt === attempts) throw unavailable(undefined, failure)
    await pause(firstPauseMs * 2 ** (attempt - 1))
  }
}

/** Files in a bucket that speaks S3, each with its digest as metadata. A file to be stored waits in a temporary one. */
export function s3Blobs(settings: S3Settings): RawBlobs {
  const { ask, signedUrl } = s3Client(settings)
  return {
    async put(key, source, options = {}) {
      const folder = await mkdtemp(join(tmpdir(), 'blob-'))
      const file = join(folder, 'content')
      try {
        let info!: BlobInfo
        const content = measured(source, options, (whole) => (info = whole))
        await pipeline(content, createWriteStream(file, { flags: 'wx', mode: 0o600 }))
        const { bytes, sha256, contentType } = info
        const answer = await ask({
          method: 'PUT',
          path: key,
          sha256,
          headers: {
            'content-length': String(bytes),
            'content-type': contentType,
            'x-amz-meta-sha256': sha256,
          },
          body: () => createReadStream(file),
        })
        await answer?.body.dump()
        return info
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
    async get(key) {
      const answer = await ask({ method: 'GET', path: key })
      if (!answer) return null
      const info = infoOf(answer)
      const body = Readable.from(verified(answer.body, info), { objectMode: false })
      body.on('close', () => answer.body.destroy())
      return { ...info, body }
    },
    async info(key) {
      const answer = await ask({ method: 'HEAD', path: key })
      await answer?.body.dump()
      return answer && infoOf(answer)
    },
    async delete(key) {
      await (await ask({ method: 'DELETE', path: key }))?.body.dump()
    },
    async *list(prefix) {
      for (let token: string | undefined = ''; token !== undefined;) {
        const query = { 'list-type': '2', prefix, ...(token && { 'continuation-token': token }) }
        const text: string = (await (await ask({ method: 'GET', path: '', query }))?.body.text()) ?? ''
        // Of our keys no character is written otherwise in XML.
        for (const [, key] of text.matchAll(/<Key>([^<]*)<\/Key>/g)) yield key!
        token = /<NextContinuationToken>([^<]+)</.exec(text)?.[1]
      }
    },
    downloadUrl: (key, { seconds, fileName }) =>
      signedUrl(key, {
        'X-Amz-Expires': String(seconds),
        'response-content-disposition': attachment(fileName),
      }),
    async ping() {
      const answer = await ask({ method: 'GET', path: '', query: { 'list-type': '2', 'max-keys': '1' } })
      await answer?.body.dump()
    },
    close: async () => {},
  }
}

const isOurs = (error: unknown): boolean => error instanceof Error && 'extensions' in error

function infoOf({ headers }: Dispatcher.ResponseData): BlobInfo {
  const text = (name: string) => String(headers[name] ?? '')
  return {
    bytes: Number(text('content-length')),
    sha256: text('x-amz-meta-sha256'),
    contentType: text('content-type'),
  }
}

/** Always a download: a file that somebody uploaded never runs in the page that leads to it. */
function attachment(fileName: string): string {
  const encoded = encodeURIComponent(fileName.replace(/[\p{Cc}/\\]/gu, '_')).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename*=UTF-8''${encoded}`
}
