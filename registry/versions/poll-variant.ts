import { Fault } from '../fault'
import type { RegistryStore } from './store'
import { current } from './versions'

/**
 * A variant as gateways follow it: the current version each time it is asked.
 * @param accept throws when the gateway must not serve this supergraph
 */
export function followVariant(
  store: RegistryStore,
  variant: string,
  accept: (supergraph: string) => void = () => undefined,
) {
  return {
    label: `${variant} of ${store.label}`,
    current: async (): Promise<{ id: string; sdl: string }> => {
      const found = await current(store, variant)
      if (!found)
        throw new Fault(`${store.label} has no version of ${variant}: "schema publish" makes the first one`)
      accept(found.supergraph)
      return {
        id: `${found.version.version} ${found.version.supergraph.slice(0, 12)}`,
        sdl: found.supergraph,
      }
    },
  }
}
