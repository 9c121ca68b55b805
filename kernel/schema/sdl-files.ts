import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Source, type DocumentNode } from 'graphql'
import { projectRoot } from '../process/config'
import { readSdl } from './sdl'
import type { SubgraphName } from './subgraph-names'

/** The files of a subgraph: `schema/shared.graphql`, then those of the folder `schema/<name>` by name. */
export function sdlFiles(name: SubgraphName): Source[] {
  const folder = join(projectRoot, 'schema', name)
  const files = existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith('.graphql'))
        .sort()
        .map((file) => join(folder, file))
    : [`${folder}.graphql`]
  return [join(projectRoot, 'schema', 'shared.graphql'), ...files].map(
    (file) => new Source(readFileSync(file, 'utf8'), relative(projectRoot, file)),
  )
}

/**
 * The SDL of a subgraph from its files, expanded.
 * @throws SdlError that begins with file, line and column
 */
export function readTypeDefs(name: SubgraphName): DocumentNode {
  return readSdl(sdlFiles(name))
}
