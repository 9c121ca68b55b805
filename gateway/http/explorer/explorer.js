/* The explorer page in the browser; React, ReactDOM and GraphiQL are there as globals. */
{
  const endpoint = location.pathname
  const examples = JSON.parse(document.getElementById('example-operations').textContent)
  const menu = document.getElementById('examples')
  const form = document.getElementById('sign-in')
  const sessionBar = document.getElementById('session')
  const message = document.getElementById('message')

  /** Access and refresh token, nowhere but in this variable: who reloads or closes the page signs in again. */
  let session = null
  /** Under this key the browser keeps the tenant that was signed in to last: its name in addresses, nothing of a person. */
  const lastTenant = 'tenant'
  /** What the browser keeps; null where it is told to keep nothing, and then reading it throws. */
  const kept = (() => {
    try {
      return window.localStorage
    } catch {
      return null
    }
  })()
  form.elements.tenant.value = kept?.getItem(lastTenant) ?? ''

  /** The renewal under way, so that requests that fail together renew once. */
  let renewing = null

  async function post(body, token) {
    const response = await fetch(endpoint, {
      method: 'POST',
      credentials: 'omit',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body),
    })
    return { status: response.status, answer: await response.json() }
  }

  /** What GraphiQL sends through. 401 refuses a request as a whole, so it can be sent again with a new token. */
  async function fetcher({ operationName, ...rest }) {
    // GraphiQL notices a new name some moments after the text changed; until then it sends the old one.
    const body = operationName && rest.query.includes(operationName) ? { ...rest, operationName } : rest
    const sent = await post(body, session?.accessToken)
    if (sent.status !== 401 || !session) return sent.answer
    renewing ??= renew().finally(() => (renewing = null))
    await renewing
    return session ? (await post(body, session.accessToken)).answer : sent.answer
  }

  const payload = 'accessToken refreshToken userErrors { message }'

  async function renew() {
    const query = `mutation Renew($input: RefreshSessionInput!) { refreshSession(input: $input) { ${payload} } }`
    const { answer } = await post({ query, variables: { input: { refreshToken: session.refreshToken } } })
    const renewed = answer.data?.refreshSession
    show(renewed?.accessToken ? { ...session, ...renewed } : null)
    if (!session) message.textContent = 'The session has ended. Sign in again.'
  }

  async function signIn({ tenant, email, password }) {
    const query = `mutation SignIn($input: SignInInput!) { signIn(input: $input) { passwordChangeRequired ${payload} } }`
    const { answer } = await post({ query, variables: { input: { tenant, email, password } } })
    const signedIn = answer.data?.signIn
    if (signedIn?.accessToken) {
      show({ ...signedIn, name: `${email} of ${tenant}` })
      kept?.setItem(lastTenant, tenant)
      if (signedIn.passwordChangeRequired)
        message.textContent = 'Somebody else chose your password: run changePassword first.'
      return
    }
    const faults = signedIn?.userErrors?.length ? signedIn.userErrors : (answer.errors ?? [])
    message.textContent = faults.map((fault) => fault.message).join(' ') || 'Nobody was signed in.'
  }

  async function signOut() {
    const { accessToken } = session
    show(null)
    await post({ query: 'mutation SignOut { signOut(input: {}) { userErrors { message } } }' }, accessToken)
  }

  /** Makes this the session, null for none, and shows who is signed in. */
  function show(next) {
    session = next
    message.textContent = ''
    form.hidden = Boolean(session)
    sessionBar.hidden = !session
    sessionBar.querySelector('span').textContent = session?.name ?? ''
  }

  /** Runs what a button asked for; a fault on the way is shown, not lost. */
  async function attempt(work) {
    try {
      await work()
    } catch {
      message.textContent = 'The server does not answer. Try again.'
    }
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const values = Object.fromEntries(new FormData(form))
    form.elements.password.value = ''
    void attempt(() => signIn(values))
  })
  sessionBar.querySelector('button').addEventListener('click', () => void attempt(signOut))

  for (const { name } of examples) menu.append(new Option(name))
  menu.addEventListener('change', () => {
    const example = examples.find(({ name }) => name === menu.value)
    // CodeMirror 5 puts the editor on its element; GraphiQL hears of the change like of typing.
    if (example)
      document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror.setValue(example.query)
    menu.value = ''
  })

  ReactDOM.createRoot(document.querySelector('main')).render(
    React.createElement(GraphiQL, {
      fetcher,
      defaultQuery: examples[0]?.query,
      // Tabs and history end with the browser's tab: what was asked may hold personal data.
      storage: sessionStorage,
      // The token belongs in the form above, not in a header that GraphiQL would keep.
      isHeadersEditorEnabled: false,
      showPersistHeadersSettings: false,
    }),
  )
}
