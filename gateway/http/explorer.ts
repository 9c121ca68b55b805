import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { HttpResponse } from './http-response'
import { ownFile, packageFile, page, sessionOperations, signInForm, type DemoPeople } from './pages/page'

/** An operation offered in the page's menu. */
export interface Example {
  name: string
  query: string
  /** Values of its variables. */
  variables?: Readonly<Record<string, unknown>>
  /** Whom of the demo it is written for, as `hr of acme`; left out where that does not matter. */
  as?: string
}

/** The examples that come with the page: what each shows, whom it is for and its variables stand in the comments above it. */
export function readExamples(): Example[] {
  const folder = ownFile('explorer', 'examples')
  return readdirSync(folder)
    .sort()
    .map((file) => {
      const text = readFileSync(join(folder, file), 'utf8')
      const [title = '', ...comments] = [...text.matchAll(/^# (.*)$/gm)].map(([, line]) => line!)
      const as = comments.find((line) => line.startsWith('as '))?.slice('as '.length)
      const variables = comments.find((line) => line.startsWith('{'))
      return {
        name: title,
        query: text.replaceAll(/^# .*\n/gm, ''),
        ...(as && { as }),
        ...(variables && { variables: JSON.parse(variables) as Record<string, unknown> }),
      }
    })
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

/** The page with GraphiQL, a sign-in form and a menu of examples. */
export function explorer(
  examples: readonly Example[],
  assets: Map<string, HttpResponse>,
  { demo = null, links = '' }: { demo?: DemoPeople; links?: string } = {},
): HttpResponse {
  return page(
    {
      name: 'explorer',
      html: ownFile('explorer', 'explorer.html'),
      styles: [packageFile('graphiql/package.json', 'graphiql.min.css'), ownFile('explorer', 'explorer.css')],
      scripts: [
        packageFile('react/package.json', 'umd/react.production.min.js'),
        packageFile('react-dom/package.json', 'umd/react-dom.production.min.js'),
        packageFile('graphiql/package.json', 'graphiql.min.js'),
        ownFile('pages', 'session.js'),
        ownFile('explorer', 'explanation.js'),
        ownFile('explorer', 'explorer.js'),
      ],
      data: {
        'example-operations': examples,
        'session-operations': sessionOperations(),
        ...(demo && { 'demo-people': demo }),
      },
      parts: { signIn: signInForm(), links },
    },
    assets,
  )
}
