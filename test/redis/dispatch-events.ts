import { openDatabase } from '../../kernel/connection/database'
import { eventDispatcher } from '../../kernel/events/dispatcher'
import { createLogger } from '../../kernel/process/log'
import { openStore } from '../../kernel/store/store'

/** A process of its own that brings events to Redis until it is killed. */
const [url, redisUrl] = process.argv.slice(2)

async function main(): Promise<void> {
  const log = createLogger({ logLevel: 'silent' })
  const { eventLog, pubSub } = await openStore({ redisUrl: redisUrl! }, log)
  const database = await openDatabase({
    url: url!,
    entities: [],
    connections: 4,
    applicationName: 'dispatch',
  })
  console.log('dispatching')
  eventDispatcher({ database, eventLog, pubSub, log }).start()
}

void main()
