/** A source of numbers that look random and are the same for the same seed, on every machine. */
export interface Random {
  /** A whole number from `least` to `most`, both included. */
  int(least: number, most: number): number
  /** A number from 0 up to, but not including, 1. */
  unit(): number
  /** One of the values, each as likely as the others. */
  pick<T>(values: readonly T[]): T
  /** True in this share of the calls: 0 never, 1 always. */
  chance(share: number): boolean
}

/** Starts a source (the generator mulberry32, seeded by the FNV-1a hash of the text). */
export function seededRandom(seed: string): Random {
  let state = 0x811c9dc5
  for (const byte of Buffer.from(seed)) state = Math.imul(state ^ byte, 0x01000193)
  const unit = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const int = (least: number, most: number) => least + Math.floor(unit() * (most - least + 1))
  return {
    int,
    unit,
    pick: (values) => values[int(0, values.length - 1)]!,
    chance: (share) => unit() < share,
  }
}

/** A UUID version 7 of this instant (milliseconds since 1970) whose other bits come from the source. */
export function seededId(random: Random, milliseconds: number): string {
  const time = milliseconds.toString(16).padStart(12, '0')
  const hex = (digits: number) =>
    random
      .int(0, 16 ** digits - 1)
      .toString(16)
      .padStart(digits, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(3)}-${random.pick([8, 9, 'a', 'b'])}${hex(3)}-${hex(6)}${hex(6)}`
}
