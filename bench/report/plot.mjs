const colours = ['#2f6fde', '#8fb4f5', '#1b9e77', '#d95f02', '#7570b3', '#666666']
const width = 860
const labelWidth = 380
const barHeight = 20

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/** Requests per second of each workload as bars with their spread, one block per workload, each with its own scale. */
export function plot({ titles, results, measuredAt }) {
  let y = 40
  const parts = [`<text x="10" y="22" class="title">Requests per second, ${measuredAt.slice(0, 10)}</text>`]
  for (const workload of new Set(results.map((one) => one.workload))) {
    const of = results.filter((one) => one.workload === workload)
    const most = Math.max(...of.map(({ requestsPerSecond }) => requestsPerSecond.max))
    const scale = (value) => (value / most) * (width - labelWidth - 90)
    parts.push(`<text x="10" y="${y + 16}" class="workload">${escaped(of[0].title)}</text>`)
    y += 24
    for (const [place, { candidate, requestsPerSecond: speed }] of of.entries()) {
      const middle = y + barHeight / 2
      const end = labelWidth + scale(speed.median)
      const [from, to] = [labelWidth + scale(speed.min), labelWidth + scale(speed.max)]
      parts.push(
        `<text x="${labelWidth - 8}" y="${middle + 4}" text-anchor="end">${escaped(titles[candidate])}</text>`,
        `<rect x="${labelWidth}" y="${y + 2}" width="${(end - labelWidth).toFixed(1)}" height="${barHeight - 4}" fill="${colours[place % colours.length]}"/>`,
        `<path d="M${from.toFixed(1)} ${middle}H${to.toFixed(1)}" stroke="#000" stroke-width="1"/>`,
        `<text x="${(Math.max(end, to) + 6).toFixed(1)}" y="${middle + 4}">${Math.round(speed.median).toLocaleString('en')}</text>`,
      )
      y += barHeight
    }
    y += 14
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}" font-family="sans-serif" font-size="12">
<style>.title{font-size:15px;font-weight:bold}.workload{font-weight:bold}</style>
<rect width="100%" height="100%" fill="#fff"/>
${parts.join('\n')}
</svg>
`
}
