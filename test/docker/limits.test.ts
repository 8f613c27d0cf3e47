/** What one environment may use, seen from inside the function. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFunction, invoke } from '../support/functions.ts'
import { startTestHost, type TestHost } from '../support/host.ts'
import { until } from '../support/until.ts'

let host: TestHost
beforeAll(async () => {
  host = await startTestHost({ maxEnvironments: 120 })
})
afterAll(() => host?.stop())

const python = `
import os, resource, threading, time, errno, pwd

def write(mb):
    written = 0
    with open('/tmp/large', 'ab') as file:
        block = b'x' * 1024 * 1024
        try:
            for _ in range(mb):
                file.write(block)
                file.flush()
                written += 1
        except OSError as error:
            return {'written': written, 'errno': errno.errorcode[error.errno]}
    return {'written': written}

def handler(event, context):
    do = event['do']
    if do == 'write':
        return write(event['mb'])
    if do == 'threads':
        done = threading.Event()
        threads = [threading.Thread(target=done.wait) for _ in range(event['count'])]
        for thread in threads:
            thread.start()
        time.sleep(event['hold'])
        done.set()
        for thread in threads:
            thread.join()
        return len(threads)
    if do == 'processes':
        children = []
        try:
            while len(children) < 5000:
                pid = os.fork()
                if pid == 0:
                    time.sleep(600)
                children.append(pid)
        except OSError as error:
            count = len(children)
            for pid in children:
                os.kill(pid, 9)
                os.waitpid(pid, 0)
            return {'count': count, 'errno': errno.errorcode[error.errno]}
    if do == 'look':
        def readonly(path):
            try:
                open(path, 'w').close()
                return 'writable'
            except OSError as error:
                return errno.errorcode[error.errno]
        status = dict(line.split(':', 1) for line in open('/proc/self/status').read().splitlines() if ':' in line)
        return {
            'user': [os.getuid(), os.getgid(), pwd.getpwuid(os.getuid()).pw_name],
            'files': resource.getrlimit(resource.RLIMIT_NOFILE)[0],
            'capabilities': status['CapEff'].strip(),
            'noNewPrivileges': status['NoNewPrivs'].strip(),
            'seccomp': status['Seccomp'].strip(),
            'task': readonly('/var/task/x'),
            'root': readonly('/x'),
            'runtime': readonly('/var/runtime/x'),
            'cwd': os.getcwd(),
        }
`

describe('one environment', () => {
  beforeAll(() =>
    createFunction(
      host.client,
      'limited',
      { 'index.py': python },
      { Runtime: 'python3.13', Timeout: 300, MemorySize: 128 },
    ),
  )

  it('of 128 MB writes 400 MB to /tmp, on disk, and is stopped at 512', async () => {
    expect((await invoke(host.client, 'limited', { do: 'write', mb: 400 })).body).toEqual({ written: 400 })
    const { body } = await invoke(host.client, 'limited', { do: 'write', mb: 200 })
    expect(body).toMatchObject({ errno: 'ENOSPC' })
    const total = 400 + (body as { written: number }).written
    // The file system's own tables take a little, and the volume is made a little larger for them.
    expect(total).toBeGreaterThan(500)
    expect(total).toBeLessThanOrEqual(516)
  })

  it('is an ordinary user on a read-only file system, without capabilities', async () => {
    expect((await invoke(host.client, 'limited', { do: 'look' })).body).toEqual({
      user: [993, 990, 'sbx_user1051'],
      files: 1024,
      capabilities: '0000000000000000',
      noNewPrivileges: '1',
      seccomp: '2',
      task: 'EROFS',
      root: 'EROFS',
      runtime: 'EROFS',
      cwd: '/var/task',
    })
  })

  it('has at most 1,024 processes and says so to the one that asks for more', async () => {
    const settings = { Runtime: 'python3.13', Timeout: 300, MemorySize: 2048 } as const
    await createFunction(host.client, 'forks', { 'index.py': python }, settings)
    const { body } = await invoke(host.client, 'forks', { do: 'processes' })
    expect(body).toMatchObject({ errno: 'EAGAIN' })
    expect((body as { count: number }).count).toBeGreaterThan(700)
    expect((body as { count: number }).count).toBeLessThan(1024)
  })
})

describe('a hundred environments of one function', () => {
  it('start threads freely: their limits are their own', async () => {
    await createFunction(
      host.client,
      'threads',
      { 'index.py': python },
      { Runtime: 'python3.13', Timeout: 600, MemorySize: 128 },
    )
    const all = await Promise.all(
      Array.from({ length: 100 }, () => invoke(host.client, 'threads', { do: 'threads', count: 20, hold: 1 })),
    )
    expect(all.map(({ body }) => body)).toEqual(Array.from({ length: 100 }, () => 20))
    await until(async () => {
      const environments = (await (await fetch(`${host.url}/_hearth/environments`)).json()) as {
        state: string
        function: string
      }[]
      return environments.filter((each) => each.function === 'threads' && each.state === 'Idle').length > 0
    })
  }, 400_000)
})
