import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../fault'
import { contentHash, type RegistryStore, type Version } from './store'

/**
 * Versions as files of a folder, to be committed: `<variant>/0001.json` and `supergraphs/<hash>.graphql`.
 */
export function folderStore(folder: string): RegistryStore {
  const supergraphFile = (hash: string) => join(folder, 'supergraphs', `${hash}.graphql`)
  const variantFolder = (variant: string) => join(folder, assertVariant(variant))
  return {
    label: folder,
    history: async (variant) => {
      const path = variantFolder(variant)
      if (!existsSync(path)) return []
      const files = readdirSync(path).filter((name) => /^\d+\.json$/.test(name))
      return files
        .sort((a, b) => parseInt(a) - parseInt(b))
        .map((name) => JSON.parse(readFileSync(join(path, name), 'utf8')) as Version)
    },
    variants: async () =>
      existsSync(folder)
        ? readdirSync(folder, { withFileTypes: true })
            .filter((entry) => entry.isDirectory() && entry.name !== 'supergraphs')
            .map(({ name }) => name)
            .sort()
        : [],
    supergraph: async (hash) =>
      existsSync(supergraphFile(hash)) ? readFileSync(supergraphFile(hash), 'utf8') : null,
    append: async (version, supergraph) => {
      mkdirSync(join(folder, 'supergraphs'), { recursive: true })
      mkdirSync(variantFolder(version.variant), { recursive: true })
      writeWhole(supergraphFile(contentHash(supergraph)), supergraph)
      const path = join(variantFolder(version.variant), `${String(version.version).padStart(4, '0')}.json`)
      try {
        // Fails when the file exists: versions are never overwritten.
        writeFileSync(path, `${JSON.stringify(version, null, 2)}\n`, { flag: 'wx' })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
        throw new Fault(
          `Version ${version.version} of ${version.variant} was published meanwhile: check again and publish the next one`,
        )
      }
    },
    close: async () => undefined,
  }
}

/** A reader never sees half a file: gateways follow this folder while it is written. */
function writeWhole(path: string, text: string): void {
  const unfinished = `${path}.${process.pid}`
  try {
    writeFileSync(unfinished, text)
    renameSync(unfinished, path)
  } finally {
    rmSync(unfinished, { force: true })
  }
}

/** @throws Fault when the name could leave the folder or is taken */
export function assertVariant(variant: string): string {
  if (/^[a-z][a-z0-9-]{0,62}$/.test(variant) && variant !== 'supergraphs') return variant
  throw new Fault(`"${variant}" is no name for a variant: use lower-case letters, digits and -`)
}
