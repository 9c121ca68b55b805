import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { projectRoot } from '../../kernel/process/config'
import type { HttpResponse } from './http-response'

/** Describes what a browser gets: a page at `GET /graphql`, and the files it needs. */
export interface Explorer {
  page: () => HttpResponse
  /** The file at this path; undefined when there is none. */
  asset(path: string): HttpResponse | undefined
}

/** An operation offered in the page's menu. */
export interface Example {
  name: string
  query: string
}

/**
 * Only our own files, nothing inline, no eval. GraphiQL's fonts and icons are `data:` inside its style sheet; it sets
 * positions through the CSSOM, which the policy does not restrict.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  'font-src data:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
}

/** In the order the page loads them; the packages ship them built. */
const files = {
  styles: [packageFile('graphiql', 'graphiql.min.css'), ownFile('explorer.css')],
  scripts: [
    packageFile('react', 'umd/react.production.min.js'),
    packageFile('react-dom', 'umd/react-dom.production.min.js'),
    packageFile('graphiql', 'graphiql.min.js'),
    ownFile('explorer.js'),
  ],
}

/** A package's file for browsers, which its `exports` for Node do not name. */
function packageFile(name: string, file: string): string {
  return join(dirname(require.resolve(`${name}/package.json`)), file)
}

/** Plain files for the browser; the build does not touch them. */
function ownFile(name: string): string {
  return join(projectRoot, 'gateway', 'http', 'explorer', name)
}

/** The operations of a folder, by file name; none when there is no such folder. */
export function examplesIn(folder: string): Example[] {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  return names
    .filter((name) => extname(name) === '.graphql')
    .sort()
    .map((file) => ({
      name: file.slice(0, -'.graphql'.length).replaceAll('-', ' '),
      query: readFileSync(join(folder, file), 'utf8'),
    }))
}

/**
 * The page with GraphiQL, a sign-in form and a menu of examples. A file's address holds the hash of its content, so a
 * browser may keep it for good; files are read once, now.
 */
export function explorer(examples: readonly Example[]): Explorer {
  const assets = new Map<string, HttpResponse>()
  const address = (file: string) => {
    const body = readFileSync(file, 'utf8')
    const extension = extname(file)
    const hash = createHash('sha256').update(body).digest('hex').slice(0, 16)
    const path = `graphql/explorer/${hash}${extension}`
    assets.set(`/${path}`, {
      status: 200,
      type: types[extension] ?? 'application/octet-stream',
      body,
      headers: { 'cache-control': 'public, max-age=31536000, immutable' },
    })
    return path // relative to /graphql, so that the page also works below a proxy's prefix
  }
  const html = readFileSync(ownFile('explorer.html'), 'utf8')
  const parts: Readonly<Record<string, string>> = {
    styles: files.styles.map((file) => `<link rel="stylesheet" href="${address(file)}" />`).join('\n'),
    scripts: files.scripts.map((file) => `<script defer src="${address(file)}"></script>`).join('\n'),
    // In a script element only `<` could end it.
    examples: JSON.stringify(examples).replaceAll('<', '\\u003c'),
  }
  const page: HttpResponse = {
    status: 200,
    type: 'text/html; charset=utf-8',
    body: html.replace(/<!-- (\w+) -->/g, (_, name: string) => parts[name] ?? ''),
    headers: { 'content-security-policy': contentSecurityPolicy, 'referrer-policy': 'no-referrer' },
  }
  return { page: () => page, asset: (path) => assets.get(path) }
}
