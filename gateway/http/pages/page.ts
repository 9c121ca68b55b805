import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { Kind, parse, print, visit, type DefinitionNode, type FragmentDefinitionNode } from 'graphql'
import { projectRoot } from '../../../kernel/process/config'
import { fragmentsOf } from '../../execution/selections'
import type { HttpResponse } from '../http-response'

/** Describes what browsers get: pages, and the files that they need. */
export interface Pages {
  /** The page at a path, `/dashboard`, with its demo people for somebody at this machine alone; undefined when there is none. */
  at(path: string, isLocal: boolean): HttpResponse | undefined
  /** The file at a path; undefined when there is none. */
  asset(path: string): HttpResponse | undefined
}

/** Describes a page that is made of files. */
export interface PageFiles {
  /** The folder of its files below `gateway/http`, and the name in their addresses. */
  name: string
  html: string
  /** In the order the page loads them. */
  styles: readonly string[]
  scripts: readonly string[]
  /** Holds what stands in the page as JSON, by the id of its element. Nothing of it is run. */
  data?: Readonly<Record<string, unknown>>
  /** Further parts of the page: `<!-- name -->` becomes this HTML. */
  parts?: Readonly<Record<string, string>>
}

/**
 * Only our own files, nothing inline, no eval. GraphiQL's fonts and icons are `data:` inside its style sheet; what sets styles
 * through the CSSOM, as it does and Chart.js, the policy does not restrict.
 *
 * @param own sources of scripts and styles besides our files, such as hashes
 */
export function contentSecurityPolicy(own: { script?: string; style?: string } = {}): string {
  return [
    "default-src 'none'",
    `script-src ${own.script ?? "'self'"}`,
    `style-src ${own.style ?? "'self'"}`,
    "img-src 'self' data:",
    'font-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** A page for a browser. */
export function html(body: string, policy = contentSecurityPolicy()): HttpResponse {
  return {
    status: 200,
    type: 'text/html; charset=utf-8',
    body,
    headers: { 'content-security-policy': policy, 'referrer-policy': 'no-referrer' },
  }
}

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
}

/** A file of a package for browsers, beside the file that Node finds under this name. */
export function packageFile(resolved: string, file: string): string {
  return join(dirname(require.resolve(resolved)), file)
}

/** Plain files for the browser; the build does not touch them. */
export function ownFile(...path: string[]): string {
  return join(projectRoot, 'gateway', 'http', ...path)
}

/**
 * A page made of files, which are read once, now. A file's address holds the hash of its content, so a browser may keep it for
 * good. Addresses are relative, so that the page also works below a proxy's prefix.
 */
export function page(
  { name, html: file, styles, scripts, data = {}, parts = {} }: PageFiles,
  assets: Map<string, HttpResponse>,
): HttpResponse {
  const address = (of: string) => {
    const body = readFileSync(of, 'utf8')
    const extension = extname(of)
    const hash = createHash('sha256').update(body).digest('hex').slice(0, 16)
    const path = `graphql/${name}/${hash}${extension}`
    assets.set(`/${path}`, {
      status: 200,
      type: types[extension] ?? 'application/octet-stream',
      body,
      headers: { 'cache-control': 'public, max-age=31536000, immutable' },
    })
    return path
  }
  // In a script element only `<` could end it.
  const json = (value: unknown) => JSON.stringify(value).replaceAll('<', '\\u003c')
  const all: Readonly<Record<string, string>> = {
    ...parts,
    styles: styles.map((of) => `<link rel="stylesheet" href="${address(of)}" />`).join('\n'),
    scripts: scripts.map((of) => `<script defer src="${address(of)}"></script>`).join('\n'),
    data: Object.entries(data)
      .map(([id, value]) => `<script type="application/json" id="${id}">${json(value)}</script>`)
      .join('\n'),
  }
  const text = readFileSync(file, 'utf8')
  return html(text.replace(/<!-- (\w+) -->/g, (_, part: string) => all[part] ?? ''))
}

/** Somebody of the demo data, whom a page lets in with one click. */
export interface DemoPerson {
  tenant: string
  email: string
  name: string
  role: string
}

/** The people of the demo data and their password; null where nobody is to be let in so. */
export type DemoPeople = { people: readonly DemoPerson[]; password: string } | null

/** The operations of a file by name, each with the fragments that it uses: the texts that a page sends. */
export function operationsIn(file: string): Readonly<Record<string, string>> {
  const document = parse(readFileSync(file, 'utf8'), { noLocation: true })
  const fragments = fragmentsOf(document)
  const textOf = (definition: DefinitionNode): string => {
    const used = new Map<string, FragmentDefinitionNode>()
    const collect = (node: DefinitionNode): void =>
      void visit(node, {
        FragmentSpread: ({ name: { value } }) => {
          const fragment = fragments.get(value)
          if (!fragment || used.has(value)) return
          used.set(value, fragment)
          collect(fragment)
        },
      })
    collect(definition)
    return print({ kind: Kind.DOCUMENT, definitions: [definition, ...used.values()] })
  }
  return Object.fromEntries(
    document.definitions.flatMap((definition) =>
      definition.kind === Kind.OPERATION_DEFINITION && definition.name
        ? [[definition.name.value, textOf(definition)]]
        : [],
    ),
  )
}

/** The operations by which a page signs somebody in and out. */
export const sessionOperations = (): Readonly<Record<string, string>> =>
  operationsIn(ownFile('pages', 'session.graphql'))

/** The form for signing in, and who is signed in. */
export const signInForm = (): string => readFileSync(ownFile('pages', 'sign-in.html'), 'utf8')
