import { demoUserIds, demoUserNames } from './ids'
import { seededId } from './random'
import { day, instant, times, type DemoTable } from './table'

/** Authenticators that somebody began to add and never confirmed: everybody signs in with the password alone. */
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

/**
 * Passkeys of the domain at which the product was before: they sign for no other, and were added before they were second factors, so
 * everybody signs in with the password alone. Who
 * keeps theirs on a key that is plugged in has one that was blocked.
 */
export const credentials: DemoTable = {
  name: 'identity.credentials',
  noun: 'passkeys',
  rows: ({ slug, random, today }) =>
    demoUserNames.map((name, place) => {
      const added = today - (40 + 25 * place) * day
      const isBlocked = place % 2 === 1
      const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
      return {
        id: seededId(random, added),
        user_id: demoUserIds[slug][name],
        type: 'PASSKEY',
        label: ['Laptop', 'Key on the key ring', 'Telephone', 'Spare key'][place],
        issuer: `${slug}.office.example`,
        subject: times(43, () => random.pick(letters)).join(''),
        public_key: times(103, () => random.pick(letters)).join(''),
        sign_count: isBlocked ? random.int(10, 400) : 0,
        transports: isBlocked ? ['nfc', 'usb'] : ['hybrid', 'internal'],
        backed_up: !isBlocked,
        signs_in_alone: place !== 2,
        last_used_at: instant(today - random.int(5, 30) * day),
        blocked_at: isBlocked ? instant(today - random.int(1, 4) * day) : null,
        created_at: instant(added),
      }
    }),
}
