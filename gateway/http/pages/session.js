/* Signing in on a page: its forms, the tokens, and requests with them. */
globalThis.openSession = (endpoint, changed) => {
  const form = document.getElementById('sign-in')
  const codeForm = document.getElementById('second-factor')
  const sessionBar = document.getElementById('session')
  const demoBar = document.getElementById('demo')
  const message = document.getElementById('message')
  const operations = JSON.parse(document.getElementById('session-operations').textContent)
  const demo = JSON.parse(document.getElementById('demo-people')?.textContent ?? 'null')

  /** Access and refresh token, nowhere but in this variable: who reloads or closes the page signs in again. */
  let session = null
  /** Counts who signed in: a session has the same number when its tokens are renewed. */
  let signIns = 0
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

  /** The renewal under way and of which tokens, so that requests that fail together renew once. */
  let renewing = null

  function sent(body, token, headers) {
    return fetch(endpoint, {
      method: 'POST',
      credentials: 'omit',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...headers,
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    })
  }

  async function post(body, token) {
    return (await sent(body, token)).json()
  }

  /** Sends a request as whoever is signed in. 401 refuses it as a whole, so it can be sent again with a new token. */
  async function send(body, headers) {
    const asked = session
    const response = await sent(body, asked?.accessToken, headers)
    if (response.status !== 401 || !asked) return response
    if (session === asked) {
      if (renewing?.of !== asked)
        renewing = { of: asked, done: renew(asked).finally(() => (renewing = null)) }
      await renewing.done
    }
    // Whoever signed in meanwhile is somebody else.
    return session && session.id === asked.id ? sent(body, session.accessToken, headers) : response
  }

  /** The tokens that come after those of a session; null when it has ended. */
  async function renewedTokens({ refreshToken }) {
    const answer = await post({ query: operations.Renew, variables: { input: { refreshToken } } })
    const renewed = answer.data?.refreshSession
    return renewed?.accessToken ? renewed : null
  }

  async function renew(asked) {
    const renewed = await renewedTokens(asked)
    if (session !== asked) return renewed
    if (renewed) {
      session = { ...session, ...renewed }
      return renewed
    }
    show(null)
    message.textContent = 'The session has ended. Sign in again.'
    return null
  }

  async function signIn({ tenant, email, password }) {
    const input = { tenant, email, password, deviceMark: kept?.getItem(lastMark) ?? null }
    const answer = await post({ query: operations.SignIn, variables: { input } })
    const told = answer.data?.signIn
    if (told?.mfaToken) ask({ mfaToken: told.mfaToken, tenant, email })
    else enter(told, answer.errors, { tenant, email })
  }

  async function completeSignIn({ code }) {
    const { mfaToken, ...who } = pending
    const answer = await post({ query: operations.CompleteSignIn, variables: { input: { mfaToken, code } } })
    const told = answer.data?.completeSignIn
    // Whoever mistyped tries again; a sign-in that took too long begins anew.
    if (told?.userErrors.some((fault) => fault.code === 'MFA_TOKEN_ENDED')) ask(null)
    enter(told, answer.errors, who)
  }

  /** Makes what was told the session, or shows why nobody was signed in. */
  function enter(told, errors, { tenant, email }) {
    if (told?.accessToken) {
      const { deviceMark, ...tokens } = told
      kept?.setItem(lastTenant, tenant)
      kept?.setItem(lastMark, deviceMark)
      show({ ...tokens, id: ++signIns, name: `${email} of ${tenant}` })
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
    demoBar.hidden = Boolean(next) || !demo
    if (next) codeForm.elements.code.focus()
  }

  async function signOut() {
    const asked = session
    show(null)
    // Tokens of a renewal under way are those that end the session.
    const later = renewing?.of === asked ? await renewing.done : null
    const response = await sent({ query: operations.SignOut }, (later ?? asked).accessToken)
    if (response.status !== 401) return
    const renewed = await renewedTokens(asked)
    if (renewed) await post({ query: operations.SignOut }, renewed.accessToken)
  }

  /** Makes this the session, null for none, and shows who is signed in. */
  function show(next) {
    session = next
    ask(null)
    form.hidden = Boolean(session)
    demoBar.hidden = Boolean(session) || !demo
    sessionBar.hidden = !session
    sessionBar.querySelector('span').textContent = session?.name ?? ''
    changed?.(session !== null)
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

  if (demo) {
    demoBar.append('Try it as')
    for (const { tenant, email, name, role } of demo.people) {
      const button = document.createElement('button')
      button.type = 'button'
      button.textContent = `${email.split('@')[0]} of ${tenant}`
      button.title = `${name}, ${role}`
      button.addEventListener(
        'click',
        () => void attempt(() => signIn({ tenant, email, password: demo.password })),
      )
      demoBar.append(button)
    }
    demoBar.hidden = false
  }

  return { send }
}
