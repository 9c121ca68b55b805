import type { Operator, Viewer } from '../../kernel/context'

/** An operator of the platform who is in no tenant, and holds nothing of any. */
type Outside = Omit<Viewer, 'tenantId'> & { tenantId: null; operator: Operator }

/** Describes who asks: somebody of a tenant, an operator who has entered it, or an operator outside of all. */
export type Asking = (Viewer & { operator?: Operator }) | Outside
