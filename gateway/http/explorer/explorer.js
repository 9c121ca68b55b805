/* The explorer page in the browser; React, ReactDOM and GraphiQL are there as globals. */
{
  const endpoint = location.pathname
  const examples = JSON.parse(document.getElementById('example-operations').textContent)
  const menu = document.getElementById('examples')
  const message = document.getElementById('message')
  const panel = document.getElementById('explanation')
  const session = openSession(endpoint, () => showExplanation(panel, undefined))

  /** Sends what GraphiQL asks. */
  async function fetcher({ operationName, ...rest }) {
    // GraphiQL notices a new name some moments after the text changed; until then it sends the old one.
    const body = operationName && rest.query.includes(operationName) ? { ...rest, operationName } : rest
    const isOwn = operationName === 'IntrospectionQuery'
    const response = await session.send(body, isOwn ? {} : { 'x-explain': 'true' })
    const { extensions, ...answer } = await response.json()
    if (!isOwn) showExplanation(panel, extensions?.explanation)
    return answer
  }

  // CodeMirror 5 puts the editor on its element; GraphiQL hears of a change like of typing.
  const queryEditor = () => document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror
  const variableEditor = () => document.querySelector('.graphiql-editor-tool .CodeMirror')?.CodeMirror

  function load({ query, variables }) {
    queryEditor().setValue(query)
    variableEditor()?.setValue(variables ? JSON.stringify(variables, null, 2) : '')
  }

  for (const { name, as } of examples) menu.append(new Option(as ? `${name} (as ${as})` : name, name))
  menu.addEventListener('change', () => {
    const example = examples.find(({ name }) => name === menu.value)
    if (example) load(example)
  })

  /** Reads what a link holds of an operation: the text and its variables, nothing of who asks. */
  function linked() {
    const parameters = new URLSearchParams(location.hash.slice(1))
    const query = parameters.get('query')
    if (query === null) return null
    try {
      return { query, variables: JSON.parse(parameters.get('variables') ?? 'null') }
    } catch {
      return { query, variables: null }
    }
  }

  const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`
  /** Comments and texts of a document. */
  const commentsAndTexts = /#[^\n]*|"""[^]*?"""|"(?:\\.|[^"\\\n])*"/g
  /** What of an operation a link may hold: of what changes something the text without its values, which may be a password. */
  function linkable(query, variables) {
    const bare = query.replaceAll(commentsAndTexts, (found) => (found.startsWith('#') ? '' : '""'))
    return /\bmutation\b/.test(bare) ? { query: bare } : { query, variables }
  }
  const copies = {
    link: (...given) => {
      const { query, variables } = linkable(...given)
      const url = new URL(location.href)
      url.hash = new URLSearchParams({
        query,
        ...(variables && { variables: JSON.stringify(variables) }),
      }).toString()
      return url.href
    },
    curl: (query, variables) =>
      `curl -s ${quoted(new URL(endpoint, location.href).href)} -H 'content-type: application/json' -H "authorization: Bearer $TOKEN" \\\n  -d ${quoted(JSON.stringify({ query, variables }))}`,
    code: (query, variables) =>
      `const response = await fetch(${JSON.stringify(new URL(endpoint, location.href).href)}, {\n  method: 'POST',\n  headers: { 'content-type': 'application/json', authorization: \`Bearer \${TOKEN}\` },\n  body: JSON.stringify(${JSON.stringify({ query, variables })}),\n})\nconst { data, errors } = await response.json()\n`,
  }
  document.getElementById('copies').addEventListener('click', async ({ target }) => {
    const make = copies[target.value]
    if (!make) return
    let variables
    try {
      variables = JSON.parse(variableEditor()?.getValue() || 'null') ?? undefined
    } catch {
      message.textContent = 'The variables are not valid JSON.'
      return
    }
    try {
      await navigator.clipboard.writeText(make(queryEditor().getValue(), variables))
      message.textContent = 'Copied.'
    } catch {
      message.textContent = 'The browser does not let this page copy.'
    }
  })

  // GraphiQL listens for another key on some systems.
  document.addEventListener('keydown', (event) => {
    if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey)) return
    event.preventDefault()
    document.querySelector('button[aria-label="Show Documentation Explorer"]')?.click()
    const focus = (left) => {
      const field = document.querySelector('.graphiql-doc-explorer-search input')
      if (field) field.focus()
      else if (left > 0) setTimeout(() => focus(left - 1), 50)
    }
    focus(20)
  })

  const first = linked() ?? examples[0]
  ReactDOM.createRoot(document.querySelector('main')).render(
    React.createElement(GraphiQL, {
      fetcher,
      defaultQuery: first?.query,
      ...(linked() && {
        query: first.query,
        variables: first.variables ? JSON.stringify(first.variables, null, 2) : '',
      }),
      defaultEditorToolsVisibility: 'variables',
      // Tabs and history end with the browser's tab: what was asked may hold personal data.
      storage: sessionStorage,
      // The token belongs in the form above, not in a header that GraphiQL would keep.
      isHeadersEditorEnabled: false,
      showPersistHeadersSettings: false,
    }),
  )
}
