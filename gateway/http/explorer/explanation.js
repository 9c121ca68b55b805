/* How an answer came about: when which subgraph was asked, which statements ran, what it cost, which scopes it takes. */
{
  const made = (name, text, className) => {
    const element = document.createElement(name)
    if (text !== undefined) element.textContent = text
    if (className) element.className = className
    return element
  }
  const counted = (count, noun) => `${count} ${noun}${count === 1 ? '' : 's'}`
  const number = (value) => new Intl.NumberFormat('en').format(value)

  /** A line of the picture: a name, a bar from when to when, and the text behind it. */
  function bar({ name, start, ms, text, kind }, whole) {
    const details = made('details', undefined, `step ${kind}`)
    const summary = made('summary')
    const track = made('span', undefined, 'track')
    const fill = made('span')
    fill.style.marginLeft = `${(100 * start) / whole}%`
    fill.style.width = `${Math.max(0.5, (100 * ms) / whole)}%`
    track.append(fill)
    summary.append(made('span', name, 'name'), track, made('span', `${ms} ms`, 'ms'))
    const pre = made('pre', text)
    pre.tabIndex = 0
    details.append(summary, pre)
    return details
  }

  /** Fetches with the statements that began while they ran. */
  function picture({ ms, fetches, statements }) {
    const figure = made('div', undefined, 'steps')
    const left = new Set(statements)
    const line = ({ subgraph, start, ms: took, sql }) => ({
      name: `${subgraph}: SQL`,
      start,
      ms: took,
      text: sql,
      kind: 'sql',
    })
    for (const { subgraph, start, ms: took, query } of fetches) {
      figure.append(bar({ name: subgraph, start, ms: took, text: query, kind: 'fetch' }, ms))
      for (const statement of statements) {
        const isWithin =
          statement.subgraph === subgraph && statement.start >= start && statement.start <= start + took
        if (!isWithin || !left.delete(statement)) continue
        figure.append(bar(line(statement), ms))
      }
    }
    for (const statement of left) figure.append(bar(line(statement), ms))
    return figure
  }

  function accessTable(access) {
    const table = made('table')
    const body = made('tbody')
    const words = new Map([
      [true, 'held'],
      [false, 'missing'],
      [null, 'by row'],
    ])
    for (const { needs, of, held } of access) {
      const row = made('tr')
      row.append(
        made('td', words.get(held), `held ${held}`),
        made('td', needs),
        made('td', of.join(', '), 'of'),
      )
      body.append(row)
    }
    const head = made('tr')
    for (const name of ['You', 'Needs', 'Of']) head.append(made('th', name))
    const top = made('thead')
    top.append(head)
    table.append(top, body)
    return table
  }

  /** Shows an explanation in a `details` element; undefined hides it. */
  globalThis.showExplanation = (panel, explanation) => {
    panel.hidden = !explanation
    if (!explanation) return
    const { ms, cost, fetches, statements, access } = explanation
    const names = new Set(fetches.map(({ subgraph }) => subgraph))
    const missing = access.filter(({ held }) => held === false).length
    panel.querySelector('summary').textContent = [
      `How it was answered: ${ms} ms`,
      counted(names.size, 'subgraph'),
      counted(statements.length, 'SQL statement'),
      `cost ${number(cost.estimated)} of ${number(cost.limit)}`,
      ...(missing > 0 ? [`${counted(missing, 'scope')} missing`] : []),
    ].join(' · ')
    panel
      .querySelector('div')
      .replaceChildren(
        made('h2', 'Who was asked, and when'),
        picture(explanation),
        ...(access.length > 0 ? [made('h2', 'What the schema asks for'), accessTable(access)] : []),
      )
  }
}
