import { foundation } from './0001-foundation'

/** Every migration, in the order it is applied. A migration that was released is never changed. */
export const migrations = [foundation]
