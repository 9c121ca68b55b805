/** Preloaded into a planning thread: an operation of this name ends the thread, or keeps it busy for good. */
const { parentPort } = require('node:worker_threads')

parentPort.on('message', ({ operationName }) => {
  if (operationName === 'EndsTheThread') process.exit(3)
  while (operationName === 'TakesForEver');
})
