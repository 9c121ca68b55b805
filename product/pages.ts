import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'graphql'
import { demoPeople } from '../database/demo/users'
import { demoSlugs, demoUserNames } from '../database/demo/ids'
import { examplesIn, readExamples } from '../gateway/http/explorer'
import { isLoopback } from '../gateway/http/local-request'
import { installationPages } from '../gateway/http/pages'
import type { DemoPeople, Pages } from '../gateway/http/pages/page'
import { projectRoot, type Config } from '../kernel/process/config'
import { referencePage } from '../registry/reference/page'
import { readSchema } from '../registry/schema-model'
import { readOperations } from '../registry/usage/operations'

/** The pages that the configuration asks for; undefined when it asks for none. */
export function pagesOf(config: Config): Pages | undefined {
  const hasExplorer = config.introspection === 'public'
  if (!hasExplorer && !config.dashboard) return undefined
  return installationPages({
    explorer: hasExplorer
      ? [...readExamples(), ...examplesIn(join(projectRoot, 'test', 'operations'))]
      : null,
    dashboard: config.dashboard,
    demo: demoOf(config),
    reference,
    sdl,
  })
}

const sdl = (): string => readFileSync(join(projectRoot, 'schema', 'api.graphql'), 'utf8')

function reference(): string {
  const supergraph = readFileSync(join(projectRoot, 'schema', 'supergraph.graphql'), 'utf8')
  const operations = readOperations(join(projectRoot, 'test', 'operations'))
  return referencePage(readSchema(parse(supergraph)), operations, 'Schema reference')
}

/**
 * Whom a page may let in with one click: the people of the demo data, which an embedded database has. Never in production, and
 * never where others than this machine could read the password from the page: behind a proxy, or under a public address.
 */
export function demoOf({
  nodeEnv,
  databaseUrl,
  host,
  publicUrl,
  trustProxy,
  demoPassword,
}: Config): DemoPeople {
  const isLocal = isLoopback(host) && isLoopback(new URL(publicUrl).hostname) && !trustProxy
  if (nodeEnv === 'production' || databaseUrl !== null || !isLocal) return null
  const people = demoSlugs.flatMap((tenant) =>
    demoUserNames.map((user) => {
      const { firstName, lastName, position } = demoPeople[user]
      return { tenant, email: `${user}@${tenant}.example`, name: `${firstName} ${lastName}`, role: position }
    }),
  )
  return { people, password: demoPassword }
}
