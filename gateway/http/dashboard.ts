import type { HttpResponse } from './http-response'
import {
  operationsIn,
  ownFile,
  packageFile,
  page,
  sessionOperations,
  signInForm,
  type DemoPeople,
} from './pages/page'

/** The operations that the dashboard asks with, by name. */
export const dashboardOperations = (): Readonly<Record<string, string>> =>
  operationsIn(ownFile('dashboard', 'operations.graphql'))

/** The text of every operation that the dashboard sends, signing in included. */
export const dashboardDocuments = (): string[] =>
  [dashboardOperations(), sessionOperations()].flatMap((operations) => Object.values(operations))

/** The page with what a business looks like today, as far as who looks may see it. All of it comes from the graph. */
export function dashboard(assets: Map<string, HttpResponse>, demo: DemoPeople = null): HttpResponse {
  return page(
    {
      name: 'dashboard',
      html: ownFile('dashboard', 'dashboard.html'),
      styles: [ownFile('pages', 'house.css'), ownFile('dashboard', 'dashboard.css')],
      scripts: [
        packageFile('chart.js', 'chart.umd.min.js'),
        ownFile('pages', 'session.js'),
        ownFile('dashboard', 'periods.js'),
        ownFile('dashboard', 'cards.js'),
        ownFile('dashboard', 'charts.js'),
        ownFile('dashboard', 'dashboard.js'),
      ],
      data: {
        operations: dashboardOperations(),
        'session-operations': sessionOperations(),
        ...(demo && { 'demo-people': demo }),
      },
      parts: { signIn: signInForm() },
    },
    assets,
  )
}
