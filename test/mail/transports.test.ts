import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { simpleParser, type ParsedMail } from 'mailparser'
import { openMailTransport } from '../../kernel/mail/open-transport'
import { MailRefused } from '../../kernel/mail/transport'
import { createLogger } from '../../kernel/process/log'
import { sample, transportContract } from './contract'
import { openMailbox, refusal, type Mailbox } from './mailbox'

const log = createLogger({ logLevel: 'silent' })
const mailFrom = 'Acme Ltd <no-reply@mail.acme.example>'
const byId = (a: ParsedMail, b: ParsedMail) => (String(a.messageId) < String(b.messageId) ? -1 : 1)

let dataDir: string
let mailbox: Mailbox | undefined

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'mail-'))
})

afterEach(async () => {
  await mailbox?.close()
  mailbox = undefined
  rmSync(dataDir, { recursive: true, force: true })
})

const smtp = (url: string) => openMailTransport({ smtpUrl: url, mailFrom, dataDir }, log)

describe('mails as files', () => {
  const folder = () => join(dataDir, 'mail')
  const open = () => openMailTransport({ smtpUrl: null, mailFrom, dataDir }, log)

  transportContract(async () => ({
    transport: open(),
    arrived: async () => {
      const files = readdirSync(folder()).map((name) => readFileSync(join(folder(), name)))
      return (await Promise.all(files.map((file) => simpleParser(file)))).sort(byId)
    },
  }))

  test('are for their owner only, and one for each mail', async () => {
    await open().send(sample())
    await open().send(sample())
    const names = readdirSync(folder())
    expect(names).toEqual([`${sample().id}.eml`])
    expect(statSync(join(folder(), names[0]!)).mode & 0o777).toBe(0o600)
    expect(statSync(folder()).mode & 0o777).toBe(0o700)
  })
})

describe('mails over SMTP', () => {
  transportContract(async () => {
    mailbox = await openMailbox()
    const { url, received } = mailbox
    return { transport: smtp(url), arrived: async () => received.map(({ mail }) => mail).sort(byId) }
  })

  test('go to their one recipient', async () => {
    mailbox = await openMailbox()
    const transport = smtp(mailbox.url)
    await transport.send(sample())
    await transport.close()
    expect(mailbox.received.map(({ recipients }) => recipients)).toEqual([['zoe@acme.example']])
  })

  test('are sent by who the server knows', async () => {
    mailbox = await openMailbox({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _, done) =>
        username === 'u/ser' && password === 'p@ss'
          ? done(null, { user: username })
          : done(refusal(535, 'no such user')),
    })
    const known = smtp(`smtp://u%2Fser:p%40ss@127.0.0.1:${mailbox.port}`)
    await known.send(sample())
    await known.close()
    expect(mailbox.received).toHaveLength(1)
    const wrong = smtp(`smtp://u%2Fser:wrong@127.0.0.1:${mailbox.port}`)
    const failure = await wrong.send(sample()).catch((error: unknown) => error)
    await wrong.close()
    expect(failure).not.toBeInstanceOf(MailRefused)
    expect(String(failure)).toBe('Error: SMTP 535 AUTH PLAIN EAUTH')
    expect(mailbox.received).toHaveLength(1)
  })

  test.each([
    [550, '5.1.1 zoe@acme.example is unknown', true],
    [550, 'zoe@acme.example is unknown', true],
    [552, '5.2.2 mailbox full', true],
    [554, '5.7.1 relaying denied', false],
    [451, '4.7.1 greylisted', false],
    [421, '4.3.2 shutting down', false],
  ])('are refused with %d %s: for good %s', async (code, words, isFinal) => {
    mailbox = await openMailbox({ onRcptTo: (_, _session, done) => done(refusal(code, words)) })
    const transport = smtp(mailbox.url)
    const failure = await transport.send(sample()).catch((error: unknown) => error)
    await transport.close()
    expect(failure instanceof MailRefused).toBe(isFinal)
    expect(String(failure)).toContain(`SMTP ${code}`)
    expect(String(failure)).not.toContain('zoe@')
    expect(mailbox.received).toEqual([])
  })

  test.each([
    [
      'the sender is refused',
      { onMailFrom: (_: unknown, _session: unknown, done: (e: Error) => void) => done(refusal(550, 'who?')) },
    ],
  ])('wait when %s', async (_, options) => {
    mailbox = await openMailbox(options)
    const transport = smtp(mailbox.url)
    const failure = await transport.send(sample()).catch((error: unknown) => error)
    await transport.close()
    expect(failure).toBeInstanceOf(Error)
    expect(failure).not.toBeInstanceOf(MailRefused)
  })

  test('wait when nobody answers', async () => {
    const { port, close } = await openMailbox()
    await close()
    const failure = await smtp(`smtp://127.0.0.1:${port}`)
      .send(sample())
      .catch((error: unknown) => error)
    expect(String(failure)).toMatch(/^Error: SMTP /)
    expect(failure).not.toBeInstanceOf(MailRefused)
  })

  // The same server by an address that does not count as this machine.
  test.each([
    ['that offers no encryption', { disabledCommands: ['STARTTLS'] }],
    ['whose certificate nobody signed', { disabledCommands: [] }],
  ])('are not given to a server elsewhere %s', async (_, options) => {
    // It warns of its certificate, which is what the test is about.
    jest.spyOn(console, 'error').mockImplementation(() => undefined)
    mailbox = await openMailbox(options)
    const transport = smtp(`smtp://[::ffff:127.0.0.1]:${mailbox.port}`)
    const failure = await transport.send(sample()).catch((error: unknown) => error)
    await transport.close()
    expect(String(failure)).toMatch(/^Error: SMTP .*(ETLS|ESOCKET)/)
    expect(mailbox.received).toEqual([])
  })
})
