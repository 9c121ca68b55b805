import type { HttpResponse } from './http-response'
import { ownFile, page, type DemoPeople } from './pages/page'

/** A page that the first one leads to. */
export interface Way {
  /** Relative to the first page. */
  href: string
  name: string
  about: string
}

/** The page at `/`: what this is, and where to go from here. */
export function landing(
  assets: Map<string, HttpResponse>,
  ways: readonly Way[],
  demo: DemoPeople,
): HttpResponse {
  return page(
    {
      name: 'landing',
      html: ownFile('landing', 'landing.html'),
      styles: [ownFile('pages', 'house.css'), ownFile('landing', 'landing.css')],
      scripts: [],
      parts: {
        ways: ways
          .map(
            ({ href, name, about }) =>
              `<li><a href="${href}"><strong>${escaped(name)}</strong>${escaped(about)}</a></li>`,
          )
          .join('\n'),
        curl: escaped(curl(demo)),
      },
    },
    assets,
  )
}

function curl(demo: DemoPeople): string {
  const { tenant, email } = demo?.people[0] ?? { tenant: 'TENANT', email: 'YOU@EXAMPLE.COM' }
  const input = `tenant: \\"${tenant}\\", email: \\"${email}\\", password: \\"${demo?.password ?? 'PASSWORD'}\\"`
  return `TOKEN=$(curl -s "$URL/graphql" -H 'content-type: application/json' -d '{"query":
  "mutation { signIn(input: { ${input} }) { accessToken } }"}' | sed 's/.*"accessToken":"\\([^"]*\\).*/\\1/')

curl -s "$URL/graphql" -H 'content-type: application/json' -H "authorization: Bearer $TOKEN" \\
  -d '{"query": "{ viewer { fullName } tenant { name } }"}'`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
