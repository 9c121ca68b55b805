import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { composeMail } from '../../kernel/mail'
import { mailSeal } from '../../kernel/mail/seal'

const letter = {
  kind: 'identity.sample',
  to: 'zoe@acme.example',
  subject: 'Hello',
  paragraphs: ['One.', 'Two.'],
}

describe('a composed mail', () => {
  test('says the same in text and in HTML', () => {
    const link = { label: 'Go', url: 'https://app.example/x#y' }
    const { text, html } = composeMail({ ...letter, link, notes: ['Once.'] })
    expect(text).toBe('One.\n\nTwo.\n\nGo:\nhttps://app.example/x#y\n\n-- \nOnce.')
    for (const part of [
      '<p>One.</p>',
      '<p>Two.</p>',
      '<a href="https://app.example/x#y"',
      '>Go</a>',
      '>Once.</p>',
    ])
      expect(html).toContain(part)
  })

  test('takes nothing of its words for markup', () => {
    const hostile = `</title><script src="//evil.example">&'x'`
    const { html } = composeMail({
      ...letter,
      subject: hostile,
      paragraphs: [hostile],
      link: { label: hostile, url: "https://a.example/'x'" },
      notes: [hostile],
    })
    expect(html).not.toMatch(/<script|evil\.example">|'x'/)
    expect(
      html.match(/&lt;\/title&gt;&lt;script src=&quot;\/\/evil\.example&quot;&gt;&amp;&#39;x&#39;/g),
    ).toHaveLength(4)
  })

  test.each([
    ['a\r\nBcc: b@c.example', 'a Bcc: b@c.example'],
    ['a\u202egnp.exe', 'a gnp.exe'],
    [`${'🌍'.repeat(300)}`, '🌍'.repeat(200)],
  ])('has a subject of one line: %j', (subject, line) => {
    expect(composeMail({ ...letter, subject }).subject).toBe(line)
  })

  test.each(['javascript:alert(1)', 'https://a.example/ x', 'https://a.example/"x', '/relative'])(
    'leads nowhere else than to the web: %s',
    (url) => {
      expect(() => composeMail({ ...letter, link: { label: 'Go', url } })).toThrow('http or https')
    },
  )
})

describe('a sealed mail', () => {
  const keys = { privateKey: generateKeyPairSync('ed25519').privateKey }
  const seal = mailSeal(keys)
  const mail = composeMail(letter)
  const place = {
    tenantId: '11111111-1111-4111-8111-111111111111',
    id: '22222222-2222-4222-8222-222222222222',
  }

  test('opens in its place, in any process with the key', () => {
    const copy = createPrivateKey({ key: keys.privateKey.export({ format: 'jwk' }), format: 'jwk' })
    const sealed = seal.close(place, mail)
    expect(mailSeal({ privateKey: copy }).open(place, sealed)).toEqual(mail)
    expect(seal.open({ ...place, id: place.id.toUpperCase() }, sealed)).toEqual(mail)
    expect(seal.close(place, mail)).not.toBe(sealed)
    expect(Buffer.from(sealed, 'base64').toString('latin1')).not.toContain('zoe')
  })

  test('opens nowhere else, with no other key, and not when it was changed', () => {
    const sealed = seal.close(place, mail)
    const bytes = Buffer.from(sealed, 'base64')
    bytes[bytes.length - 1]! ^= 1
    const other = mailSeal({ privateKey: generateKeyPairSync('ed25519').privateKey })
    expect(() => seal.open({ ...place, tenantId: place.id }, sealed)).toThrow()
    expect(() => seal.open({ ...place, id: place.tenantId }, sealed)).toThrow()
    expect(() => other.open(place, sealed)).toThrow()
    expect(() => seal.open(place, bytes.toString('base64'))).toThrow()
    expect(() => seal.open(place, bytes.subarray(0, 20).toString('base64'))).toThrow()
  })

  test('needs a signing key', () => {
    expect(() => mailSeal({ privateKey: null })).toThrow('set TOKEN_PRIVATE_KEY')
  })
})
