import { startEmbedded } from '../../database/embedded'

/** A process of its own that starts the server on a data directory and waits to be ended. */
const [dataDir, binaries] = process.argv.slice(2)
const log = { info: () => undefined, error: () => undefined }

startEmbedded({ dataDir: dataDir!, ...(binaries ? { binaries } : {}), log })
  .then((server) => {
    process.once('SIGTERM', () => void server.stop().then(() => process.exit(0)))
    console.log(JSON.stringify({ url: server.superuserUrl(), cluster: server.cluster }))
    setInterval(() => undefined, 60_000)
  })
  .catch((error: Error) => {
    console.error(error.message)
    process.exit(1)
  })
