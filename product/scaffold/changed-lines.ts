/**
 * The lines that go and those that come, in their order, with - and + before them. A comma that a line gets because
 * another comes behind it is no change.
 */
export function changedLines(before: string, after: string): string {
  const [old, next] = [before.split('\n'), after.split('\n')]
  const isSame = (one: number, other: number) => bare(old[one]!) === bare(next[other]!)
  // By place in both texts: how many lines behind it are the same in the same order.
  const common = Array.from({ length: old.length + 1 }, () => new Array<number>(next.length + 1).fill(0))
  for (let one = old.length - 1; one >= 0; one--)
    for (let other = next.length - 1; other >= 0; other--)
      common[one]![other] = isSame(one, other)
        ? common[one + 1]![other + 1]! + 1
        : Math.max(common[one + 1]![other]!, common[one]![other + 1]!)
  const lines: string[] = []
  let [one, other] = [0, 0]
  while (one < old.length || other < next.length) {
    if (one < old.length && other < next.length && isSame(one, other)) [one, other] = [one + 1, other + 1]
    else if (
      other === next.length ||
      (one < old.length && common[one + 1]![other]! >= common[one]![other + 1]!)
    )
      lines.push(`-${old[one++]}`)
    else lines.push(`+${next[other++]}`)
  }
  return lines.map((line) => `${line}\n`).join('')
}

const bare = (line: string): string => line.replace(/,$/, '')
