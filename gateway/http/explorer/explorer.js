/* The explorer page in the browser; React, ReactDOM and GraphiQL are there as globals. */
{
  const endpoint = location.pathname
  const examples = JSON.parse(document.getElementById('example-operations').textContent)
  const menu = document.getElementById('examples')
  const form = document.getElementById('sign-in')
  const codeForm = document.getElementById('second-factor')
  const sessionBar = document.getElementById('session')
  const message = document.getElementById('message')

  /** Access and refresh token, nowhere but in this variable: who reloads or closes the page signs in again. */
  let session = null
  /** A sign-in whose password was right and whose second factor is asked for: its token, and who it is. */
  let pending = null
  /**
   * Under these keys the browser keeps the tenant that was signed in to last, its name in addresses, and the mark that lets this
   * device try again whatever strangers do to the account. It names no person and lets nobody in.
   */
  const lastTenant = 'tenant'
  const lastMark = 'deviceMark'
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

  const payload = 'accessToken refreshToken userErrors { code message }'
  const signedInPayload = `passwordChangeRequired deviceMark ${payload}`

  async function renew() {
    const query = `mutation Renew($input: RefreshSessionInput!) { refreshSession(input: $input) { ${payload} } }`
    const { answer } = await post({ query, variables: { input: { refreshToken: session.refreshToken } } })
    const renewed = answer.data?.refreshSession
    show(renewed?.accessToken ? { ...session, ...renewed } : null)
    if (!session) message.textContent = 'The session has ended. Sign in again.'
  }

  async function signIn({ tenant, email, password }) {
    const query = `mutation SignIn($input: SignInInput!) { signIn(input: $input) { mfaToken ${signedInPayload} } }`
    const input = { tenant, email, password, deviceMark: kept?.getItem(lastMark) ?? null }
    const { answer } = await post({ query, variables: { input } })
    const told = answer.data?.signIn
    if (told?.mfaToken) ask({ mfaToken: told.mfaToken, tenant, email })
    else enter(told, answer.errors, { tenant, email })
  }

  async function completeSignIn({ code }) {
    const { mfaToken, ...who } = pending
    const query = `mutation CompleteSignIn($input: CompleteSignInInput!) { completeSignIn(input: $input) { ${signedInPayload} } }`
    const { answer } = await post({ query, variables: { input: { mfaToken, code } } })
    const told = answer.data?.completeSignIn
    // Whoever mistyped tries again; a sign-in that took too long begins anew.
    if (told?.userErrors.some((fault) => fault.code === 'MFA_TOKEN_ENDED')) ask(null)
    enter(told, answer.errors, who)
  }

  /** Makes what was told the session, or shows why nobody was signed in. */
  function enter(told, errors, { tenant, email }) {
    if (told?.accessToken) {
      const { deviceMark, ...tokens } = told
      show({ ...tokens, name: `${email} of ${tenant}` })
      kept?.setItem(lastTenant, tenant)
      kept?.setItem(lastMark, deviceMark)
      if (told.passwordChangeRequired)
        message.textContent = 'Somebody else chose your password: run changePassword first.'
      return
    }
    const faults = told?.userErrors?.length ? told.userErrors : (errors ?? [])
    message.textContent = faults.map((fault) => fault.message).join(' ') || 'Nobody was signed in.'
  }

  /** Shows the form for a code of this sign-in, or with null the one for name and password. */
  function ask(next) {
    pending = next
    message.textContent = next ? 'Enter a code of your authenticator, or a recovery code.' : ''
    form.hidden = Boolean(next)
    codeForm.hidden = !next
    if (next) codeForm.elements.code.focus()
  }

  async function signOut() {
    const { accessToken } = session
    show(null)
    await post({ query: 'mutation SignOut { signOut(input: {}) { userErrors { message } } }' }, accessToken)
  }

  /** Makes this the session, null for none, and shows who is signed in. */
  function show(next) {
    session = next
    ask(null)
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
  codeForm.addEventListener('submit', (event) => {
    event.preventDefault()
    const values = Object.fromEntries(new FormData(codeForm))
    codeForm.elements.code.value = ''
    void attempt(() => completeSignIn(values))
  })
  codeForm.querySelector('button[type=button]').addEventListener('click', () => ask(null))
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
