/**
 * Tells whether the counter of a passkey went on (WebAuthn level 3, section 6.1.1). One that never counts says 0; any other says
 * more with each signature, so the same or less comes of a copy.
 */
export function isCountedOn(before: number, after: number): boolean {
  return after > before || (before === 0 && after === 0)
}
