/** Puts events as fast as it can and prints the id of each one that was promised to be on disk, until it is killed. */
import { openStore } from '../../src/store/open.ts'

const [path = ''] = process.argv.slice(2)
const store = await openStore(path)
process.stdout.write('ready\n')
for (let i = 0; ; i += 20) {
  const group = Array.from({ length: 20 }, (_, n) => `e${i + n}`)
  await Promise.all(
    group.map(async (requestId) => {
      await store.queue.put({
        function: { account: '111111111111', region: 'us-east-1', name: 'f' },
        qualifier: undefined,
        requestId,
        traceHeader: '',
        payload: new TextEncoder().encode(requestId),
        enqueuedAt: 1000,
      })
      process.stdout.write(`${requestId}\n`)
    }),
  )
}
