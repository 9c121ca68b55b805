import { tenantScope } from '../connection/binding'
import { isUuid } from '../id'
import { BlobFault, type BlobStore, type TenantBlobs } from './blob-store'

/** An adapter as it is written: with whole keys, tenant in front, that were checked. */
export type RawBlobs = TenantBlobs & Pick<BlobStore, 'ping' | 'close'>

const longestKey = 400
const part = '[a-z0-9][a-z0-9._-]*'
const keyForm = new RegExp(`^${part}(?:/${part})*$`)
const prefixForm = new RegExp(`^(?:${part}/)*$`)
const mediaType = /^[\w.+-]{1,60}\/[\w.+-]{1,60}(?:; charset=[\w-]{1,20})?$/
const longestUrlSeconds = 86_400

/** The store over an adapter: every key is one of the tenant's own, and what comes in has a form that each adapter takes. */
export function checkedBlobs(raw: RawBlobs): BlobStore {
  return {
    ping: () => raw.ping(),
    close: () => raw.close(),
    of(tenantId) {
      if (!isUuid(tenantId)) throw new BlobFault('INVALID', 'The tenant of a file must be a UUID')
      const tenant = tenantId.toLowerCase()
      const own = (key: string, form = keyForm) => {
        checkScope(tenant)
        if (key.length > longestKey || !form.test(key))
          throw new BlobFault('INVALID', `"${key.slice(0, 80)}" is no key of a file`)
        return `${tenant}/${key}`
      }
      return {
        async put(key, source, options = {}) {
          const { contentType, sha256 } = options
          if (contentType !== undefined && !mediaType.test(contentType))
            throw new BlobFault('INVALID', 'contentType must be a media type, such as image/png')
          if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256))
            throw new BlobFault('INVALID', 'sha256 must be 64 hexadecimal digits in lower case')
          return raw.put(own(key), source, options)
        },
        get: async (key) => raw.get(own(key)),
        info: async (key) => raw.info(own(key)),
        delete: async (key) => raw.delete(own(key)),
        async *list(prefix) {
          for await (const key of raw.list(own(prefix, prefixForm))) yield key.slice(tenant.length + 1)
        },
        async downloadUrl(key, options) {
          const { seconds } = options
          if (!Number.isInteger(seconds) || seconds < 1 || seconds > longestUrlSeconds)
            throw new BlobFault('INVALID', `seconds must be a whole number from 1 to ${longestUrlSeconds}`)
          return raw.downloadUrl(own(key), options)
        },
      }
    },
  }
}

/** As for statements: code that runs in a tenant's scope reaches no other tenant's files. */
function checkScope(tenant: string): void {
  const scope = tenantScope.getStore()
  if (scope !== undefined && scope?.toLowerCase() !== tenant)
    throw new Error('The file belongs to another tenant than the code that asks for it')
}
