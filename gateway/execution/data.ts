/** An object of an answer under way: what subgraphs said, by response key. */
export type Data = Record<string, unknown>

/** A place in an answer. `@` stands for every item of a list. */
export type Path = readonly (string | number)[]

export function isData(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Merges one more answer into what is known of an object. Objects merge field by field, lists of the same length item
 * by item, of everything else the later answer counts.
 *
 * @param copies whether `target` gets copies of the objects in `source`, else the objects themselves. One answer for
 *   several equal entities is copied, for what later fetches add to one must not appear in the others.
 */
export function merge(target: Data, source: Data, copies = false): void {
  for (const key of Object.keys(source)) {
    const value = source[key]
    if (value === undefined) continue
    if (value === null || typeof value !== 'object') {
      set(target, key, value)
      continue
    }
    // Response keys are checked when the operation is prepared, but values of scalars may be objects with any key.
    const known = Object.hasOwn(target, key) ? target[key] : undefined
    if (isData(value) && isData(known)) merge(known, value, copies)
    else if (Array.isArray(value) && Array.isArray(known) && value.length === known.length) {
      value.forEach((item: unknown, index) => {
        const knownItem: unknown = known[index]
        if (isData(knownItem) && isData(item)) merge(knownItem, item, copies)
        else known[index] = copies ? copyOf(item) : item
      })
    } else set(target, key, copies ? copyOf(value) : value)
  }
}

/** Sets a property of the object itself, whatever its name. */
export function set(target: Data, key: string, value: unknown): void {
  if (key !== '__proto__') target[key] = value
  else Object.defineProperty(target, key, { value, configurable: true, enumerable: true, writable: true })
}

/** A copy that shares no list and no plain object with the original. */
export function copyOf(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(copyOf)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && prototype !== Object.prototype) return value
  const copy: Data = {}
  for (const key of Object.keys(value)) set(copy, key, copyOf((value as Data)[key]))
  return copy
}

/**
 * The objects at a path below the given ones. Left out are nulls and what does not fit the path, a list where the schema
 * has none or the other way round: completing the answer says so.
 */
export function objectsAt(from: readonly Data[], path: Path): Data[] {
  const found: Data[] = []
  function look(value: unknown, depth: number): void {
    if (value === null || typeof value !== 'object') return
    const isList = Array.isArray(value)
    if (depth === path.length) {
      if (!isList) found.push(value as Data)
      return
    }
    const step = path[depth]!
    if (isList !== (step === '@')) return
    if (isList) for (const item of value) look(item, depth + 1)
    else look((value as Data)[step], depth + 1)
  }
  for (const object of from) look(object, 0)
  return found
}

/** Finds where the objects at a path are, with indices for `@`. An object can be at several places. */
export function placesOf(root: Data, path: Path): Map<unknown, Path[]> {
  const places = new Map<unknown, Path[]>()
  function look(value: unknown, depth: number, place: Path): void {
    if (value === null || value === undefined) return
    if (depth === path.length) {
      const known = places.get(value)
      if (known) known.push(place)
      else places.set(value, [place])
    } else if (Array.isArray(value)) {
      value.forEach((item, index) => look(item, depth + 1, [...place, index]))
    } else {
      const step = path[depth]!
      look((value as Data)[step], depth + 1, [...place, step])
    }
  }
  look(root, 0, [])
  return places
}
