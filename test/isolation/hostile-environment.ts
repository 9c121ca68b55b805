import { loadConfig, variableNames } from '../../kernel/process/config'

/** What somebody might set to be rid of a guard. */
const values = [
  'off',
  'false',
  'none',
  'disabled',
  'no',
  '0',
  '-1',
  'true',
  'production',
  'development',
  'test',
  '*',
]
/** Where things are, which must be right for the product to start at all. */
const places =
  /^(DATABASE_URL|DATABASE_APP_SECRET|POSTGRES_|REDIS_URL|SUBGRAPHS|PERSISTED_DOCUMENTS|HOST|PORT|DATA_DIR|LOG_LEVEL|TOKEN_|DEMO_|ENCRYPTION_)/

/** Every variable set to the first of these values that it takes; those that take none are left out. */
export function hostileEnvironment(): Record<string, string> {
  // In production nothing starts without a master key.
  const accepted: Record<string, string> = {
    ENCRYPTION_KEYS: `test:${Buffer.alloc(32, 1).toString('base64')}`,
  }
  for (const name of variableNames.filter((one) => !places.test(one))) {
    const taken = values.find((value) => {
      try {
        return Boolean(loadConfig({ NODE_ENV: 'test', ...accepted, [name]: value }))
      } catch {
        return false
      }
    })
    if (taken !== undefined) accepted[name] = taken
  }
  return accepted
}
