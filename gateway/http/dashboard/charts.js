/* How a card shows its figures: bars over time beside those before, or a bar for each group. */
{
  const element = (name, { text, ...rest } = {}, ...children) => {
    const made = Object.assign(document.createElement(name), rest)
    if (text !== undefined) made.textContent = text
    made.append(...children.filter(Boolean))
    return made
  }

  /** `Partly paid` for PARTLY_PAID; texts of the tenant stay as they are. */
  const words = (text) => {
    if (text === null || text === undefined) return 'None'
    const plain = /^[A-Z][A-Z\d_]+$/.test(text) ? text.toLowerCase().replaceAll('_', ' ') : text
    return plain.charAt(0).toUpperCase() + plain.slice(1)
  }

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()

  /** Writes the day that a span begins with. */
  const spanName = (per, firstDay, isLong = false) => {
    if (!firstDay) return 'Earlier'
    const options = {
      DAY: { day: 'numeric', month: 'short', ...(isLong && { year: 'numeric' }) },
      WEEK: { day: 'numeric', month: 'short', ...(isLong && { year: 'numeric' }) },
      MONTH: { month: isLong ? 'long' : 'short', ...(isLong && { year: 'numeric' }) },
    }
    const name = new Intl.DateTimeFormat('en', { ...options[per], timeZone: 'UTC' }).format(
      new Date(`${firstDay}T00:00:00Z`),
    )
    return per === 'WEEK' && isLong ? `Week of ${name}` : name
  }

  /**
   * Bars over time, and a line of the spans before.
   * @param groups each with name, value and text; `before` their values, by place
   */
  function timeChart(holder, { title, groups, before, against, format, open }) {
    const canvas = element('canvas')
    canvas.setAttribute('role', 'img')
    canvas.setAttribute(
      'aria-label',
      `${title}, ${groups.length} spans of time beside ${against}; the table below has the figures`,
    )
    holder.append(element('div', { className: 'chart' }, canvas))
    const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches
    const chart = new Chart(canvas, {
      data: {
        labels: groups.map(({ short }) => short),
        datasets: [
          {
            type: 'bar',
            label: 'Now',
            pointStyle: 'rectRounded',
            data: groups.map(({ value }) => value),
            backgroundColor: color('accent'),
            borderRadius: 4,
            maxBarThickness: 28,
            order: 2,
          },
          {
            type: 'line',
            label: against.charAt(0).toUpperCase() + against.slice(1),
            data: before.slice(0, groups.length),
            borderColor: color('before'),
            borderWidth: 2,
            borderDash: [4, 4],
            pointStyle: 'line',
            pointRadius: 0,
            pointHitRadius: 8,
            tension: 0.3,
            order: 1,
          },
        ],
      },
      options: {
        animation: isStill ? false : { duration: 350 },
        maintainAspectRatio: false,
        interaction: { mode: 'index', intersect: false },
        onClick: (_event, hits) => hits[0] && open(groups[hits[0].index]),
        onHover: (event, hits) => (event.native.target.style.cursor = hits.length > 0 ? 'pointer' : ''),
        plugins: {
          legend: {
            position: 'bottom',
            labels: { color: color('muted'), usePointStyle: true, boxWidth: 22, boxHeight: 8 },
          },
          tooltip: {
            callbacks: {
              title: ([item]) => groups[item.dataIndex].name,
              label: (item) => ` ${item.dataset.label}: ${format(item.raw)}`,
            },
          },
        },
        scales: {
          x: {
            grid: { display: false },
            border: { color: color('line') },
            ticks: { color: color('muted'), maxRotation: 0, autoSkipPadding: 12 },
          },
          y: {
            beginAtZero: true,
            border: { display: false },
            grid: { color: color('line') },
            ticks: {
              color: color('muted'),
              maxTicksLimit: 5,
              callback: (value) => new Intl.NumberFormat('en', { notation: 'compact' }).format(value),
            },
          },
        },
      },
    })
    return () => chart.destroy()
  }

  /** A bar for each group, the widest for the largest; each opens its rows. */
  function barList(holder, { groups, others, open }) {
    const most = Math.max(...groups.map(({ value }) => Math.abs(value)), 0)
    const list = element('ul', { className: 'bars' })
    for (const group of groups) {
      const fill = element('span')
      fill.hidden = group.value === 0
      fill.style.width = most > 0 ? `${(100 * Math.abs(group.value)) / most}%` : '0'
      const button = element(
        'button',
        { type: 'button', title: `Rows of ${group.name}` },
        element('span', { className: 'label', text: group.name }),
        element('span', { className: 'value', text: group.text }),
        element('span', { className: 'track' }, fill),
      )
      button.addEventListener('click', () => open(group))
      list.append(element('li', {}, button))
    }
    holder.append(list)
    if (others > 0) holder.append(element('p', { className: 'note', text: `and ${others} more` }))
  }

  /** The same figures as a table, for those who read or listen; the name of each opens its rows, as its bar does. */
  function asTable(groups, before, against, open) {
    const head = element('tr')
    for (const name of ['Begins', 'Now', ...(before ? [against] : [])])
      head.append(
        element('th', { text: words(name), className: name === 'Begins' ? '' : 'number', scope: 'col' }),
      )
    const body = element('tbody')
    groups.forEach((group, place) => {
      const { name, text } = group
      const button = element('button', { type: 'button', text: name, title: `Rows of ${name}` })
      button.addEventListener('click', () => open(group))
      body.append(
        element(
          'tr',
          {},
          element('th', { scope: 'row' }, button),
          element('td', { text, className: 'number' }),
          before && element('td', { text: before[place] ?? '', className: 'number' }),
        ),
      )
    })
    return element('table', {}, element('thead', {}, head), body)
  }

  globalThis.charts = { element, words, spanName, timeChart, barList, asTable }
}
