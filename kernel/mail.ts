export { composeMail, type Letter } from './mail/compose'
export type { Mail } from './mail/mail'
export { writeMails } from './mail/outbox'
