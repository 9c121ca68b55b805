import { systemClock, type Clock } from '../clock'
import type { Config } from '../process/config'
import type { Store } from './key-value'
import { openMemoryStore } from './key-value-memory'
import { openRedisStore } from './key-value-redis'
import type { Logger } from '../process/log'

/**
 * The store that the configuration names: Redis with REDIS_URL, otherwise one inside this process.
 *
 * @param clock ends the texts and windows of the store in this process; Redis goes by its own
 * @throws Error when Redis does not answer
 */
export async function openStore(
  config: Pick<Config, 'redisUrl'>,
  log: Logger,
  clock: Clock = systemClock,
): Promise<Store> {
  return config.redisUrl ? openRedisStore(config.redisUrl, log) : openMemoryStore(clock, log)
}
