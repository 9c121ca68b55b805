/**
 * Prints `usage` and ends the process where `--help` is among the arguments; with status 2 where an option is that it does not name.
 * @returns the arguments that are no options, as texts
 */
export function argumentsFrom(usage) {
  const given = process.argv.slice(2)
  if (given.some((one) => one === '--help' || one === '-h')) {
    console.log(usage)
    process.exit()
  }
  if (given.some((one) => one.startsWith('--') && !usage.includes(one))) {
    console.error(usage)
    process.exit(2)
  }
  return given.filter((one) => !one.startsWith('--'))
}

/**
 * Reads positive numbers by their places; a place without one has its default. Anything else prints the usage and ends
 * the process with status 2.
 */
export function numbersFrom(usage, ...defaults) {
  const given = argumentsFrom(usage)
  const numbers = defaults.map((value, place) => Number(given[place] ?? value))
  if (given.length > defaults.length || numbers.some((number) => !(number > 0))) {
    console.error(usage)
    process.exit(2)
  }
  return numbers
}
