/** A mail as a mutation hands it over: whole, in both forms. */
export interface Mail {
  /** Says what it is about, for whoever looks after the outbox: `identity.invitation`. */
  kind: string
  /** One e-mail address. */
  to: string
  subject: string
  text: string
  html: string
  /** Counts in no limit of the outbox: whoever writes it has one, and it never holds up what somebody does. */
  hasOwnLimit?: boolean
}

/** A mail with the id of its row, which makes its Message-ID: a mail that is sent twice is recognised by it. */
export interface OutgoingMail extends Mail {
  id: string
}
