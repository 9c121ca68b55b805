import type { TenantBlobs } from './blobs/blob-store'
import type { SubgraphContext } from './context'
import { unauthenticated } from './errors'

export { BlobFault, type BlobInfo, type TenantBlobs } from './blobs/blob-store'

/**
 * The files of the request's tenant: no key that a resolver could be given names another's.
 * @throws ApiError UNAUTHENTICATED when nobody is signed in
 */
export function blobs({ binding, services }: SubgraphContext): TenantBlobs {
  if (!binding.tenantId) throw unauthenticated()
  return services.blobs.of(binding.tenantId)
}
