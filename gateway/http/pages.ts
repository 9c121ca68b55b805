import { createHash } from 'node:crypto'
import type { HttpResponse } from './http-response'
import { dashboard } from './dashboard'
import { explorer, type Example } from './explorer'
import { landing, type Way } from './landing'
import { contentSecurityPolicy, html, type DemoPeople, type Pages } from './pages/page'

/** Describes which pages there are. */
export interface PageOptions {
  /** The explorer with these examples; null: none, and no reference. */
  explorer: readonly Example[] | null
  dashboard: boolean
  /** Shown to somebody at this machine alone. */
  demo: DemoPeople
  /** Writes the reference of the schema, an HTML page with its script and style inline, when somebody first looks. */
  reference?: () => string
  /** Reads the schema as clients see it. */
  sdl?: () => string
}

/** The pages of this installation: `/`, and what it leads to. Their files are read now, the reference is written when it is asked for. */
export function installationPages({
  explorer: examples,
  dashboard: hasDashboard,
  demo,
  reference,
  sdl,
}: PageOptions): Pages {
  const assets = new Map<string, HttpResponse>()
  /** Each page with the demo people, and without. */
  const pages = new Map<string, { local: HttpResponse; other: HttpResponse }>()
  const twice = (of: (shown: DemoPeople) => HttpResponse) => ({ local: of(demo), other: of(null) })
  const ways: Way[] = []
  if (hasDashboard) {
    pages.set(
      '/dashboard',
      twice((shown) => dashboard(assets, shown)),
    )
    ways.push({
      href: 'dashboard',
      name: 'Dashboard',
      about:
        'How the business stands, as far as whoever looks may see it: figures, charts, the rows behind them.',
    })
  }
  if (examples) {
    const links = [
      ...(hasDashboard ? ['<a href="dashboard">Dashboard</a>'] : []),
      ...(reference ? ['<a href="graphql/reference">Reference</a>'] : []),
    ]
    pages.set(
      '/graphql',
      twice((shown) => explorer(examples, assets, { demo: shown, links: links.join(' ') })),
    )
    ways.push({
      href: 'graphql',
      name: 'Explorer',
      about: 'Ask the graph: examples by role, the schema beside it, and how each answer came about.',
    })
  }
  if (examples && reference)
    ways.push({
      href: 'graphql/reference',
      name: 'Reference',
      about: 'Every type and field: what it means, who may read it, what it costs, which operations use it.',
    })
  if (ways.length > 0)
    pages.set(
      '/',
      twice((shown) => landing(assets, ways, shown)),
    )
  let written: HttpResponse | undefined
  let schema: string | undefined
  return {
    at: (path, isLocal) =>
      path === '/graphql/reference' && examples && reference
        ? (written ??= selfContained(reference()))
        : pages.get(path)?.[isLocal ? 'local' : 'other'],
    asset: (path) =>
      path === '/graphql/schema.graphql' && examples && sdl
        ? { status: 200, type: 'text/plain; charset=utf-8', body: (schema ??= sdl()) }
        : assets.get(path),
  }
}

/** A page whose script and style stand in it: the policy names them by their hashes. */
function selfContained(body: string): HttpResponse {
  const hashes = (tag: string) =>
    [...body.matchAll(new RegExp(`<${tag}>(.*?)</${tag}>`, 'gs'))]
      .map(([, text]) => `'sha256-${createHash('sha256').update(text!).digest('base64')}'`)
      .join(' ')
  return html(body, contentSecurityPolicy({ script: hashes('script'), style: hashes('style') }))
}
