/** The look of the page: one column on a telephone, list and text beside each other on a screen, light and dark. */
export const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; display: grid; grid-template: auto 1fr / minmax(12rem, 18rem) 1fr; }
header { grid-column: 1 / -1; padding: 1rem 1.5rem; border-bottom: 1px solid #8886; position: sticky; top: 0; background: Canvas; z-index: 1; display: flex; flex-wrap: wrap; gap: 0 1.5rem; align-items: baseline; }
h1 { font-size: 1.25rem; margin: 0; } h2 { font-size: 1.15rem; margin: 0; } h2 a { color: inherit; text-decoration: none; }
input { font: inherit; width: min(28rem, 70vw); padding: .3rem .5rem; }
#count, .facts { color: GrayText; font-size: .875rem; margin: 0; }
nav { padding: 1rem 1.5rem; overflow: auto; max-height: calc(100vh - 5rem); position: sticky; top: 5rem; }
nav ul { list-style: none; margin: 0; padding: 0; }
main { padding: 1rem 1.5rem; min-width: 0; max-width: 60rem; overflow-wrap: anywhere; }
section { margin-bottom: 2.5rem; scroll-margin-top: 5rem; }
dl > div { border-top: 1px solid #8884; padding: .5rem 0; scroll-margin-top: 5rem; }
dd { margin: 0; } dd ul { margin: .25rem 0; padding-left: 1.25rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .9rem; overflow-wrap: anywhere; }
pre { background: #8882; padding: 1rem; overflow: auto; }
.deprecated { color: #b3261e; font-weight: 600; }
@media (prefers-color-scheme: dark) { .deprecated { color: #f2b8b5; } }
:target { outline: 2px solid Highlight; outline-offset: 4px; }
[hidden] { display: none; }
@media (max-width: 45rem) { body { display: block; } nav { display: none; } }
`

/** Shows what holds all the words of the search; the address keeps the search, so that it can be passed on. */
export const script = `
const search = document.getElementById('search')
const count = document.getElementById('count')
const rows = [...document.querySelectorAll('main section')].map((section) => ({
  section,
  own: [...section.children].filter((child) => child.tagName !== 'DL').map((child) => child.textContent).join(' ').toLowerCase(),
  members: [...section.querySelectorAll('dl > div, article')].map((element) => ({ element, text: (element.id + ' ' + element.textContent).toLowerCase() })),
  link: document.querySelector('nav [data-type="' + section.id + '"]'),
}))
function show() {
  const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean)
  let found = 0
  for (const { section, own, members, link } of rows) {
    const whole = words.every((word) => own.includes(word))
    let any = whole
    for (const { element, text } of members) {
      const matches = whole || words.every((word) => text.includes(word) || own.includes(word))
      element.hidden = !matches
      any = any || matches
      if (matches && words.length > 0) found++
    }
    section.hidden = !any
    if (link) link.hidden = !any
  }
  count.textContent = words.length > 0 ? found + ' found' : ''
  const address = new URL(location.href)
  if (words.length > 0) address.searchParams.set('search', search.value)
  else address.searchParams.delete('search')
  try { history.replaceState(null, '', address) } catch { /* a file opened without a server in some browsers */ }
}
search.value = new URL(location.href).searchParams.get('search') ?? ''
search.addEventListener('input', show)
show()
`
