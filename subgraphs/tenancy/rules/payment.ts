/** Money that came, and where it is: amounts in the currency's smallest unit. */
export interface PaidMoney {
  amount: bigint
  /** Holds what settles invoices. */
  allocated: bigint
  /** Holds what was given back. */
  refunded: bigint
  /** Tells whether the bank took all of it back. */
  isReversed: boolean
}

export type PaymentState = 'SUCCEEDED' | 'PARTLY_REFUNDED' | 'REFUNDED' | 'REVERSED'

/** Returns what of a payment can still settle invoices or be given back. */
export function unallocatedOf({ amount, allocated, refunded, isReversed }: PaidMoney): bigint {
  return isReversed ? 0n : amount - allocated - refunded
}

/** The status of a payment by where its money is. */
export function paymentState({ amount, refunded, isReversed }: PaidMoney): PaymentState {
  if (isReversed) return 'REVERSED'
  if (refunded === 0n) return 'SUCCEEDED'
  return refunded === amount ? 'REFUNDED' : 'PARTLY_REFUNDED'
}

/** The payment with so much more of it on an invoice; null when so much is not left of the payment, or of the invoice. */
export function allocated(payment: PaidMoney, part: bigint, owed: bigint): PaidMoney | null {
  const isLeft = part > 0n && part <= unallocatedOf(payment) && part <= owed
  return isLeft ? { ...payment, allocated: payment.allocated + part } : null
}

/** The payment with so much more of it given back; null when so much is not left. What settles an invoice is not given back. */
export function refunded(payment: PaidMoney, part: bigint): PaidMoney | null {
  const isLeft = part > 0n && part <= unallocatedOf(payment)
  return isLeft ? { ...payment, refunded: payment.refunded + part } : null
}

/** The payment that the bank took back, off all invoices; null when something of it was given back, or it is reversed already. */
export function reversed(payment: PaidMoney): PaidMoney | null {
  if (payment.isReversed || payment.refunded > 0n) return null
  return { ...payment, allocated: 0n, isReversed: true }
}

/** The number of a payment by its place in the tenant's series: `PAY-000042`. */
export function paymentNumberOf(place: number): string {
  return `PAY-${String(place).padStart(6, '0')}`
}
