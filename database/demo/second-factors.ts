import { demoUserIds, demoUserNames } from './ids'
import { seededId } from './random'
import { day, instant, times, type DemoTable } from './table'

/**
 * Authenticators that somebody began to add and never confirmed: everybody signs in with the password alone. Nobody has a passkey:
 * one counts as a second factor, and no browser could sign with it.
 */
export const mfaDevices: DemoTable = {
  name: 'identity.mfa_devices',
  noun: 'second factors',
  rows: ({ slug, random, today }) =>
    demoUserNames.map((name, place) => {
      const began = today - (3 + 5 * place) * day
      return {
        id: seededId(random, began),
        user_id: demoUserIds[slug][name],
        type: 'TOTP',
        label: ['Telephone', 'Work telephone', 'Tablet', 'Watch'][place],
        secret: times(32, () => random.pick([...'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'])).join(''),
        created_at: instant(began),
      }
    }),
}
