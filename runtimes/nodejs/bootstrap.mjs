// Starts client 3. Its own command prints a line to the function's log before it does the same.
import { run } from './index.mjs'

await run(process.env.LAMBDA_TASK_ROOT ?? '/var/task', process.env._HANDLER ?? '')
