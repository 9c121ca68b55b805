import type { Mail } from './mail'

/** Describes what a mail says, apart from how it looks. All of it is plain text: nothing in it is taken for markup. */
export interface Letter {
  kind: string
  /** One e-mail address. */
  to: string
  subject: string
  paragraphs: readonly string[]
  /** The one thing to do: a button in HTML, an address on a line of its own in text. */
  link?: { label: string; url: string }
  /** Stands small below the rest. */
  notes?: readonly string[]
  hasOwnLimit?: boolean
}

/** A subject fills one header, so that no value can begin another. */
const mostSubject = 200

/**
 * A mail in text and in HTML, both of the same words.
 * @throws Error when the link is no http or https address
 * @example composeMail({ kind: 'hr.welcome', to: 'a@acme.example', subject: 'Welcome', paragraphs: ['Good to have you.'] })
 */
export function composeMail({ kind, to, subject, paragraphs, link, notes = [], hasOwnLimit }: Letter): Mail {
  if (link && !/^https?:\/\/[^\s"<>]+$/.test(link.url))
    throw new Error('The link of a mail must be an http or https address')
  return {
    kind,
    to,
    hasOwnLimit,
    subject: [...oneLine(subject)].slice(0, mostSubject).join(''),
    text: [
      ...paragraphs.map(oneLine),
      ...(link ? [`${oneLine(link.label)}:\n${link.url}`] : []),
      ...(notes.length > 0 ? [`-- \n${notes.map(oneLine).join('\n')}`] : []),
    ].join('\n\n'),
    html: htmlOf(
      oneLine(subject),
      [
        ...paragraphs.map((text) => `<p>${escaped(text)}</p>`),
        ...(link ? [button(link)] : []),
        ...notes.map((text) => `<p style="color:#5b6470;font-size:13px">${escaped(text)}</p>`),
      ].join('\n'),
    ),
  }
}

function htmlOf(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title></head>
<body style="margin:0;padding:24px;background:#f4f5f7;font:16px/1.5 system-ui,sans-serif;color:#1c2430">
<div style="max-width:560px;margin:0 auto;padding:24px;background:#fff;border-radius:8px">
${body}
</div>
</body>
</html>
`
}

/** The address is told as text too: some readers show no links, and people like to see where one leads. */
function button({ label, url }: NonNullable<Letter['link']>): string {
  return `<p><a href="${escaped(url)}" style="display:inline-block;padding:10px 18px;background:#1f5fbf;color:#fff;border-radius:6px;text-decoration:none">${escaped(label)}</a></p>
<p style="font-size:13px;word-break:break-all">${escaped(url)}</p>`
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return oneLine(text).replace(/[&<>"']/g, (character) => entities[character]!)
}

/** Without line breaks and other control characters, and without those that turn the direction of what follows. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim()
}
