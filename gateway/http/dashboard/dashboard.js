/* The page: who looks, which cards they may see, and the rows behind a figure. */
{
  const { element, words, spanName, timeChart, barList, asTable } = globalThis.charts
  const operations = JSON.parse(document.getElementById('operations').textContent)
  const byId = (id) => document.getElementById(id)
  const dialog = byId('rows')
  const shownRows = 25
  /** The viewer, and as what the page counts; null until somebody is signed in. */
  let look = null
  /** Changes with each sign-in and sign-out: what was asked for before it is shown to nobody. */
  let looks = 0
  /** Changes with each opening of the rows. */
  let openings = 0
  /** The question that each card asked last. */
  const asking = new WeakMap()
  let periodName = 'months'
  /** Ends what was drawn, by card. */
  const drawn = new Map()
  /** Draws again what was told already, in other colours. */
  const redraws = new Map()

  const session = openSession('graphql', (isSignedIn) => void (isSignedIn ? begin() : leave()))

  /** The answer as JSON; what a proxy says in its own words is told in ours. */
  async function answerOf(response) {
    try {
      return await response.json()
    } catch {
      throw new Error('The server does not answer. Try again.')
    }
  }

  /** The data of an operation; throws with words for people. */
  async function ask(operation, variables) {
    const query = operations[operation]
    const used = Object.entries(variables).filter(([name]) => query.includes(`$${name}:`))
    const response = await session.send({ query, variables: Object.fromEntries(used) })
    const { data, errors } = await answerOf(response)
    if (errors) throw new Error(errors.map(({ message }) => message).join(' '))
    return data
  }

  function leave() {
    looks++
    look = null
    for (const end of drawn.values()) end()
    drawn.clear()
    redraws.clear()
    if (dialog.open) dialog.close()
    byId('sections').replaceChildren()
    byId('controls').hidden = true
    byId('welcome').hidden = false
    byId('title').textContent = 'Dashboard'
  }

  async function begin() {
    const mine = ++looks
    try {
      if (!(await see(mine))) return
    } catch (error) {
      if (mine === looks) byId('message').textContent = error.message
      return
    }
    byId('welcome').hidden = true
    byId('controls').hidden = false
    showAll(false)
  }

  /** Asks who looks, and at which time; answers whether it is still the same person. */
  async function see(mine) {
    const { viewer, tenant } = await ask('Who', {})
    if (mine !== looks) return false
    look = {
      permissions: new Set(viewer.permissions),
      currency: tenant.defaultCurrency ?? 'USD',
      zone: tenant.timeZone ?? 'UTC',
      instant: tenant.clock,
    }
    byId('title').textContent = tenant.name
    return true
  }

  /** Shows all cards anew, until today as it is by now. */
  async function showAgain(isFresh) {
    const mine = looks
    for (const card of document.querySelectorAll('.card')) card.setAttribute('aria-busy', 'true')
    try {
      if (await see(mine)) showAll(isFresh)
    } catch (error) {
      if (mine !== looks) return
      byId('message').textContent = error.message
      for (const card of document.querySelectorAll('.card')) card.removeAttribute('aria-busy')
    }
  }

  /** Shows the cards that the viewer has all scopes for, by section; no other is asked for. */
  function showAll(isFresh) {
    const period = periods.of(periodName, look.instant, look.zone)
    for (const end of drawn.values()) end()
    drawn.clear()
    redraws.clear()
    byId('span').textContent = `${period.now.from} until today, ${look.zone}, beside ${period.against}`
    const sections = new Map()
    for (const card of cards) {
      if (!card.needs.every((scope) => look.permissions.has(scope))) continue
      const grid = sections.get(card.section) ?? element('div', { className: 'grid' })
      sections.set(card.section, grid)
      const article = element('article', { className: 'card' })
      grid.append(article)
      void show(article, card, period, { isFresh })
    }
    const made = [...sections].map(([name, grid]) =>
      element('section', {}, element('h2', { text: name }), grid),
    )
    for (const section of made) section.setAttribute('aria-label', section.firstChild.textContent)
    if (made.length === 0)
      made.push(
        element('p', {
          className: 'nothing',
          text: 'Your roles give you no figures. Ask who looks after roles in your company.',
        }),
      )
    byId('sections').replaceChildren(...made)
  }

  async function show(article, card, period, { isFresh = false, currency = look.currency } = {}) {
    drawn.get(article)?.()
    drawn.delete(article)
    const body = element('div', { className: 'body' })
    const head = [
      element('h3', { text: card.title }),
      card.about && element('p', { className: 'about', text: card.about }),
    ]
    article.replaceChildren(...head.filter(Boolean), body)
    article.setAttribute('aria-busy', 'true')
    const question = {}
    asking.set(article, question)
    const isLast = () => asking.get(article) === question && article.isConnected
    const filter = card.filter(period.now)
    const variables = {
      now: filter,
      before: card.filter(period.before),
      per: period.per,
      zone: period.timeZone,
      currency,
      fresh: isFresh,
    }
    try {
      const { now, before } = await ask(card.operation, variables)
      if (!isLast()) return
      const draw = () => {
        drawn.get(article)?.()
        body.replaceChildren()
        article.querySelector('footer')?.remove()
        fill(article, body, { card, period, currency, now, before, filter })
      }
      draw()
      redraws.set(article, draw)
    } catch (error) {
      if (!isLast()) return
      const again = element('button', { type: 'button', text: 'Try again' })
      again.addEventListener('click', () => void show(article, card, period, { isFresh, currency }))
      body.replaceChildren(
        element('div', { className: 'fault' }, element('p', { text: error.message }), again),
      )
    } finally {
      if (isLast()) article.removeAttribute('aria-busy')
    }
  }

  /** Returns what a card counts, and the way it is written. */
  function measureOf(card, currency) {
    const amount = (group) => group[card.money]?.find((one) => one.currency === currency)
    const of = (group) => {
      if (card.money) return (card.isAverage ? amount(group)?.average : amount(group)?.sum)?.amount ?? null
      return card.number ? (group[card.number]?.sum ?? '0') : String(group.count)
    }
    const money = { style: 'currency', currency, maximumFractionDigits: 0 }
    const numbers = new Intl.NumberFormat('en', card.money ? money : { maximumFractionDigits: 1 })
    const format = (value) =>
      value === null || value === undefined ? (card.isAverage ? 'not told' : '–') : numbers.format(value)
    return { of, format }
  }

  function fill(article, body, { card, period, currency, now, before, filter }) {
    if (now.total.count === 0) {
      body.append(element('p', { className: 'nothing', text: 'Nothing in this period.' }))
      return
    }
    const held = now.total[card.money]?.map((one) => one.currency) ?? []
    // What is in no group of the asked currency is in one of another.
    if (card.money && held.length > 0 && !held.includes(currency)) {
      void show(article, card, period, { currency: held[0] })
      return
    }
    const { of, format } = measureOf(card, currency)
    const total = card.headline === 'count' ? String(now.total.count) : of(now.total)
    const text = card.headline === 'count' ? new Intl.NumberFormat('en').format(total) : format(total)
    const delta = before && deltaOf(card, Number(total ?? 0), Number(of(before.total) ?? 0), period.against)
    if (total !== null) body.append(element('p', { className: 'figure' }, element('strong', { text }), delta))
    if (held.length > 1)
      body.append(
        currencyChoice(held, currency, (chosen) => void show(article, card, period, { currency: chosen })),
      )
    const groups = now.groups.map((group) => ({
      key: group.key,
      value: Number(of(group) ?? 0),
      text: format(of(group)),
      ...(card.kind === 'time'
        ? {
            name: spanName(period.per, group.key[card.key]?.firstDay, true),
            short: spanName(period.per, group.key[card.key]?.firstDay),
          }
        : { name: words(card.label(group.key)) }),
    }))
    if (card.kind === 'bars') groups.sort((one, other) => other.value - one.value)
    const open = (group) =>
      void openRows(card, `${card.title} · ${group.name}`, { and: [filter, card.group(group.key)] })
    let beforeTexts = null
    if (card.kind === 'time') {
      const values = before.groups.map(of)
      beforeTexts = values.map(format)
      const end = timeChart(body, {
        title: card.title,
        groups,
        before: values.map((value) => Number(value ?? 0)),
        against: period.against,
        format,
        open,
      })
      drawn.set(article, end)
    } else barList(body, { groups, others: now.otherGroups, open })
    if (!now.complete)
      body.append(element('p', { className: 'note', text: 'Counted over the first 200,000 rows.' }))
    const all = element('button', { type: 'button', text: 'Rows' })
    all.setAttribute('aria-label', `Rows of ${card.title}`)
    all.addEventListener('click', () => void openRows(card, card.title, filter))
    const time = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', timeZone: look.zone }).format(
      new Date(now.asOf),
    )
    article.append(
      element(
        'footer',
        {},
        element('span', { text: `Counted at ${time}` }),
        card.kind === 'time' &&
          element(
            'details',
            {},
            element('summary', { text: 'As a table' }),
            asTable(groups, beforeTexts, period.against, open),
          ),
        all,
      ),
    )
  }

  function deltaOf(card, now, before, against) {
    if (before === 0) return element('span', { className: 'delta', text: `nothing in ${against}` })
    const change = (now - before) / Math.abs(before)
    if (change > 10) {
      const times = new Intl.NumberFormat('en', { maximumFractionDigits: 0 }).format(now / before)
      return element('span', { className: 'delta', text: `▲ ${times} times what was in ${against}` })
    }
    const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 0 }).format(
      Math.abs(change),
    )
    const isMore = change >= 0
    const tone = Math.abs(change) < 0.005 ? '' : isMore === Boolean(card.isGoodWhenLess) ? 'bad' : 'good'
    return element('span', {
      className: `delta ${tone}`,
      text: `${isMore ? '▲' : '▼'} ${percent} ${isMore ? 'more' : 'less'} than in ${against}`,
    })
  }

  function currencyChoice(all, current, choose) {
    const group = element('div', { className: 'currencies', role: 'group' })
    group.setAttribute('aria-label', 'Currency')
    for (const currency of all) {
      const button = element('button', { type: 'button', text: currency })
      button.setAttribute('aria-pressed', String(currency === current))
      button.addEventListener('click', () => choose(currency))
      group.append(button)
    }
    return group
  }

  /** The rows behind a figure, the first of them; as many as there are in the file. */
  async function openRows(card, title, filter) {
    const mine = ++openings
    const isOpen = () => mine === openings && dialog.open
    byId('rows-title').textContent = title
    const count = byId('rows-count')
    const table = dialog.querySelector('table')
    count.textContent = 'Reading …'
    table.replaceChildren()
    dialog.showModal()
    byId('rows-csv').onclick = () => void download(card, title, filter, isOpen)
    try {
      const { rows } = await ask(card.rows, { filter, first: shownRows })
      if (!isOpen()) return
      const total = rows.totalCount >= 10_000 ? '10,000 or more' : rows.totalCount
      count.textContent =
        rows.totalCount > shownRows ? `The first ${rows.nodes.length} of ${total}` : `${total} in all`
      table.append(...rowsOf(rows.nodes))
    } catch (error) {
      if (isOpen()) count.textContent = error.message
    }
  }

  function cellOf(value) {
    if (value === null) return { text: '' }
    if (typeof value === 'number') return { text: new Intl.NumberFormat('en').format(value), isNumber: true }
    if (typeof value === 'object') {
      if ('currency' in value)
        return {
          text: new Intl.NumberFormat('en', { style: 'currency', currency: value.currency }).format(
            value.amount,
          ),
          isNumber: true,
        }
      return { text: Object.values(value).join(' ') }
    }
    if (/^\d{4}-\d\d-\d\dT/.test(value))
      return {
        text: new Intl.DateTimeFormat('en-GB', {
          dateStyle: 'medium',
          timeStyle: 'short',
          timeZone: look.zone,
        }).format(new Date(value)),
      }
    return { text: words(value) }
  }

  function rowsOf(nodes) {
    const names = Object.keys(nodes[0] ?? {})
    const head = element('tr')
    const isNumber = (name) => nodes.some((node) => node[name] !== null && cellOf(node[name]).isNumber)
    for (const name of names)
      head.append(
        element('th', {
          text: words(name.replaceAll(/([A-Z])/g, ' $1').toLowerCase()),
          scope: 'col',
          className: isNumber(name) ? 'number' : '',
        }),
      )
    const body = element('tbody')
    for (const node of nodes) {
      const row = element('tr')
      for (const name of names) {
        const { text, isNumber: right } = cellOf(node[name])
        row.append(element('td', { text, className: right ? 'number' : '' }))
      }
      body.append(row)
    }
    return [element('thead', {}, head), body]
  }

  /** Saves the rows as a file; a file that broke off is not saved, and said. */
  async function download(card, title, filter, isOpen) {
    const say = (text) => isOpen() && (byId('rows-count').textContent = text)
    const mine = looks
    let text
    try {
      const response = await session.send(
        { query: operations[card.rows], variables: { filter } },
        { accept: 'text/csv' },
      )
      if (!response.ok) {
        const { errors } = await answerOf(response)
        say(errors.map(({ message }) => message).join(' '))
        return
      }
      text = await response.text()
    } catch {
      say('The file broke off before its end. Try again.')
      return
    }
    if (mine !== looks) return
    // Spreadsheets read UTF-8 by this mark.
    const file = new Blob(['\ufeff', text], { type: 'text/csv' })
    const link = element('a', {
      href: URL.createObjectURL(file),
      download: `${title.toLowerCase().replaceAll(/[^a-z\d]+/g, '-')}.csv`,
    })
    link.click()
    URL.revokeObjectURL(link.href)
  }

  byId('rows-close').addEventListener('click', () => dialog.close())
  byId('refresh').addEventListener('click', () => void showAgain(true))
  for (const [name, { name: label }] of Object.entries(periods.all)) {
    const input = element('input', {
      type: 'radio',
      name: 'period',
      value: name,
      checked: name === periodName,
    })
    input.addEventListener('change', () => {
      periodName = name
      void showAgain(false)
    })
    byId('periods').append(element('label', {}, input, label))
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    for (const draw of redraws.values()) draw()
  })
}
