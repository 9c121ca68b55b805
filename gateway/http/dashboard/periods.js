/* The spans of time that the dashboard looks at, in the tenant's time zone. */
{
  const day = 86_400_000
  const text = (time) => new Date(time).toISOString().slice(0, 10)
  const utc = (date) => Date.parse(`${date}T00:00:00Z`)
  const plusDays = (date, days) => text(utc(date) + days * day)

  /** The same day so many months on, or the last of that month. */
  function plusMonths(date, months) {
    const [year, month, dayOfMonth] = date.split('-').map(Number)
    const last = new Date(Date.UTC(year, month + months, 0)).getUTCDate()
    return text(Date.UTC(year, month - 1 + months, Math.min(dayOfMonth, last)))
  }

  const all = {
    days: {
      name: '30 days',
      per: 'DAY',
      start: (today) => plusDays(today, -29),
      back: (date) => plusDays(date, -30),
      before: 'the 30 days before',
    },
    weeks: {
      name: '13 weeks',
      per: 'WEEK',
      start: (today) => plusDays(today, -84 - ((new Date(utc(today)).getUTCDay() + 6) % 7)),
      back: (date) => plusDays(date, -91),
      before: 'the 13 weeks before',
    },
    months: {
      name: '12 months',
      per: 'MONTH',
      start: (today) => `${plusMonths(`${today.slice(0, 7)}-01`, -11).slice(0, 7)}-01`,
      back: (date) => plusMonths(date, -12),
      before: 'the year before',
    },
  }

  /** The day that it is at an instant in a zone. */
  const dayIn = (instant, timeZone) =>
    new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(
      new Date(instant),
    )

  /** The instant at which a day begins in a zone: its midnight, or what comes first where clocks leave midnight out. */
  function beginning(date, timeZone) {
    const format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
    const offset = (time) => {
      const part = Object.fromEntries(
        format.formatToParts(time).map(({ type, value }) => [type, Number(value)]),
      )
      return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) - time
    }
    // A day away clocks show what they did before a change in this night, and what they do after it.
    const candidates = [utc(date) - day, utc(date) + day].map((near) => utc(date) - offset(near))
    const isOn = (time) => dayIn(time, timeZone) === date
    const found = candidates.sort((one, other) => one - other).find(isOn)
    return new Date(found ?? candidates[1]).toISOString()
  }

  globalThis.periods = {
    all,
    /** A period and the one before it, as days and as instants. `until` is the day after the last. */
    of(name, instant, timeZone) {
      const { per, start, back, before } = all[name]
      const today = dayIn(instant, timeZone)
      const span = (from, until) => ({
        from,
        until,
        start: beginning(from, timeZone),
        end: beginning(until, timeZone),
      })
      const until = plusDays(today, 1)
      const now = span(start(today), until)
      return { per, timeZone, now, before: span(back(now.from), plusDays(back(today), 1)), against: before }
    },
  }
}
