import { composeMail, type Letter, type Mail } from '../../../kernel/mail'
import { prepared } from '../../../kernel/statement'
import { heldReason, type KeptCount } from '../../../kernel/subjects'
import type { DataSubjectRequest, RequestType } from '../entities/DataSubjectRequest'

type Told = Pick<DataSubjectRequest, 'requestNumber' | 'type' | 'isAddressKnown'>
/** The words of a mail, which has its recipient and organization from {@link tellRequester}. */
type Words = Pick<Letter, 'kind' | 'subject' | 'paragraphs' | 'notes' | 'hasOwnLimit'>

const asked: Readonly<Record<RequestType, string>> = {
  ACCESS: 'to be told what is known of you (article 15 GDPR)',
  ERASURE: 'that your data is erased (article 17 GDPR)',
  RECTIFICATION: 'that your data is corrected (article 16 GDPR)',
  PORTABILITY: 'for your data to take along (article 20 GDPR)',
  RESTRICTION: 'that the use of your data is restricted (article 18 GDPR)',
  OBJECTION: 'that your data is not used (article 21 GDPR)',
}

/** Article 12(4) GDPR: whoever is refused something is told of both. */
const remedies =
  'You may complain to a supervisory authority for data protection, and seek a judicial remedy (articles 77 and 79 GDPR).'
/** Said in place of particulars to an address that is not on record of the person. */
const elsewhere =
  'The particulars reach you by the way that was agreed with you: this address is not on record.'

/** The reason that the person is told: whoever is investigated is not warned by the name of what holds. */
const reasonOf = ({ reason }: KeptCount): string =>
  reason === heldReason ? 'A legal obligation, or legal claims (article 17(3)(b) and (e) GDPR)' : reason

/** Says that a request came, and when it is answered. It goes to somebody whose identity nobody has looked into yet. */
export function receivedMail({ requestNumber, type, dueDate }: Told & { dueDate: string }): Words {
  return {
    kind: 'compliance.request-received',
    subject: `Your request ${requestNumber} was received`,
    paragraphs: [
      `A request came with this address: ${asked[type]}. It has the number ${requestNumber}.`,
      `It is answered by ${dueDate}. You may be asked first to show who you are.`,
    ],
    notes: ['If you did not ask for it, tell the organization.'],
  }
}

/** Says that more time is needed, why, and until when (article 12(3) GDPR). */
export function extendedMail({
  requestNumber,
  extendedTo,
  extensionReason,
}: Told & { extendedTo: string; extensionReason: string }): Words {
  return {
    kind: 'compliance.request-extended',
    subject: `Your request ${requestNumber} needs more time`,
    paragraphs: [
      `Your request ${requestNumber} is answered by ${extendedTo}. The reason: ${extensionReason}`,
      remedies,
    ],
  }
}

/** Says that a request is refused, and on which ground. */
export function rejectedMail({ requestNumber, isAddressKnown }: Told, legalGround: string): Words {
  return {
    kind: 'compliance.request-rejected',
    subject: `Your request ${requestNumber} was refused`,
    paragraphs: [
      isAddressKnown === false
        ? `Your request ${requestNumber} was refused. ${elsewhere}`
        : `Your request ${requestNumber} was refused. The ground: ${legalGround}`,
      remedies,
    ],
  }
}

/** Says what was done: of an erasure also what stays and why. */
export function answeredMail(
  { requestNumber, type, isAddressKnown }: Told,
  { outcome = null, kept = [] }: { outcome?: string | null; kept?: readonly KeptCount[] },
): Words {
  const stays = new Map<string, string | null>()
  for (const one of kept.filter(({ then }) => then !== 'STAYS')) {
    const known = stays.get(reasonOf(one))
    const latest = known === undefined || (known !== null && one.until !== null && one.until > known)
    stays.set(reasonOf(one), latest || one.until === null ? one.until : known)
  }
  const done: Partial<Record<RequestType, string>> = {
    ACCESS: 'What is known of you was put together, and is handed to you by the organization.',
    PORTABILITY: 'Your data was put together, and is handed to you by the organization.',
    ERASURE: 'Your data was erased.',
  }
  const rest = [...stays].map(([reason, until]) => `${reason}${until ? `, until ${until}` : ''}.`)
  const particulars = [
    done[type] ?? `What was done: ${outcome ?? ''}`,
    ...(rest.length > 0 ? ['Some of it stays, and goes when its reason is over:', ...rest, remedies] : []),
  ]
  return {
    kind: 'compliance.request-answered',
    subject: `Your request ${requestNumber} was answered`,
    paragraphs: [
      `Your request ${requestNumber} was answered.`,
      ...(isAddressKnown === false ? [elsewhere] : particulars),
    ],
    // One for each request that two persons approved: it never holds up the end of one.
    hasOwnLimit: true,
  }
}

/** Writes to whoever asked, if there is an address still; the mail leaves if and only if the transaction commits. */
export async function tellRequester(
  tx: { rows(statement: ReturnType<typeof prepared>): Promise<unknown[][]>; mail(mail: Mail): void },
  { requesterEmail }: Pick<DataSubjectRequest, 'requesterEmail'>,
  words: Words,
): Promise<void> {
  if (requesterEmail === null) return
  const [row] = await tx.rows(prepared('SELECT shared.tenant_name()', []))
  const from = `This mail is from ${String(row?.[0])}.`
  const { subject, notes = [] } = words
  tx.mail(
    composeMail({
      ...words,
      to: requesterEmail,
      subject: `${subject} (${String(row?.[0])})`,
      notes: [from, ...notes],
    }),
  )
}
