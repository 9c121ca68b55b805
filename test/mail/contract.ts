import { composeMail } from '../../kernel/mail'
import type { OutgoingMail } from '../../kernel/mail/mail'
import type { MailTransport } from '../../kernel/mail/transport'
import type { Received } from './mailbox'

export interface TransportUnderTest {
  transport: MailTransport
  /** All messages that arrived, in the order of their Message-IDs. */
  arrived(): Promise<Received['mail'][]>
}

const id = (place: number) => `0193a000-0000-7000-8000-${String(place).padStart(12, '0')}`

export const sample = (place = 1): OutgoingMail => ({
  id: id(place),
  ...composeMail({
    kind: 'identity.sample',
    to: 'zoe@acme.example',
    subject: 'Größe & Maß <1> 🌍',
    paragraphs: ['Für "Zoë" & Co.', 'x'.repeat(2000)],
    link: { label: 'Open', url: 'https://app.acme.example/a?b=1&c=2#d.e-f_g' },
    notes: ['Once.'],
  }),
})

/** What every transport keeps, sent from `Acme Ltd <no-reply@mail.acme.example>`. */
export function transportContract(open: () => Promise<TransportUnderTest>): void {
  let transport: MailTransport
  let arrived: TransportUnderTest['arrived']

  beforeEach(async () => {
    ;({ transport, arrived } = await open())
  })

  afterEach(() => transport.close())

  test('brings both forms of a mail as they were written', async () => {
    const mail = sample()
    await transport.send(mail)
    const [message] = await arrived()
    expect(message!.subject).toBe(mail.subject)
    expect(message!.text?.replace(/\r\n/g, '\n').trimEnd()).toBe(mail.text.trimEnd())
    expect(String(message!.html).replace(/\r\n/g, '\n').trimEnd()).toBe(mail.html.trimEnd())
    expect(message!.from?.value).toEqual([{ name: 'Acme Ltd', address: 'no-reply@mail.acme.example' }])
    expect([message!.to].flat().map((one) => one?.text)).toEqual(['zoe@acme.example'])
    expect(message!.headers.get('auto-submitted')).toBe('auto-generated')
    expect(message!.date).toBeInstanceOf(Date)
  })

  test('names a mail by its id, each time it is sent', async () => {
    await transport.send(sample(1))
    await transport.send(sample(2))
    await transport.send(sample(2))
    const ids = (await arrived()).map(({ messageId }) => messageId)
    expect([...new Set(ids)]).toEqual([`<${id(1)}@mail.acme.example>`, `<${id(2)}@mail.acme.example>`])
  })

  test.each([
    ['subject', { subject: 'Hello\r\nBcc: spy@evil.example\r\n\r\nbody' }],
    ['recipient', { to: 'zoe@acme.example\r\nBcc: spy@evil.example' }],
    ['list of recipients', { to: 'zoe@acme.example, spy@evil.example' }],
  ])('lets no %s name others', async (_, hostile) => {
    await transport.send({ ...sample(), ...hostile }).catch(() => undefined)
    for (const message of await arrived()) {
      expect(message.bcc).toBeUndefined()
      expect(message.cc).toBeUndefined()
      expect([message.to].flat().flatMap((one) => one?.value ?? [])).toHaveLength(1)
    }
  })

  test('serves again after it was closed', async () => {
    await transport.send(sample(1))
    await transport.close()
    await transport.send(sample(2))
    expect(await arrived()).toHaveLength(2)
  })
}
