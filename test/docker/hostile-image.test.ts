/**
 * A container image whose maker wants out of the sandbox. Packages and layers that are hostile in the same ways never come this far: see
 * test/unit/code/{zip,layers}.test.ts. An image is unpacked by the engine, so here the sandbox must hold.
 */
import { CreateFunctionCommand } from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LABELS } from '../../src/sandbox/docker/labels.ts'
import { active, createFunction, invoke, ROLE } from '../support/functions.ts'
import { startTestHost, type TestHost } from '../support/host.ts'
import { buildImage, docker, removeImages } from '../support/images.ts'

const REPOSITORY = 'hearth-test-hostile'
let host: TestHost
const built = new Set<string>()

beforeAll(async () => {
  host = await startTestHost()
  // Makes the runtime image that the others are built from.
  await createFunction(host.client, 'base', { 'index.py': 'def handler(e, c): pass' }, { Runtime: 'python3.13' })
})
afterAll(async () => {
  await host?.stop()
  await removeImages(built)
  for (const id of built) {
    const filters = JSON.stringify({ label: [`${LABELS.functionImage}=${id.slice(7)}`] })
    for (const { Name } of (await docker.listVolumes({ filters })).Volumes) await docker.getVolume(Name).remove()
  }
})

async function answerOf(name: string, dockerfile: string, files: Record<string, string>): Promise<unknown> {
  built.add(await buildImage(`${REPOSITORY}:${name}`, dockerfile, files))
  const Code = { ImageUri: `${REPOSITORY}:${name}` }
  await host.client.send(new CreateFunctionCommand({ FunctionName: name, Role: ROLE, PackageType: 'Image', Code }))
  await active(host.client, name)
  return (await invoke(host.client, name)).body
}

/** Runs as root while the image is built. `/hostile/volume` is declared a volume, which the engine copies out of the image. */
const MAKE = `
import os, shutil, stat, struct
MEMORY, ZERO, DISK = (stat.S_IFCHR, 1, 1), (stat.S_IFCHR, 1, 5), (stat.S_IFBLK, 8, 0)
for folder in ['/hostile', '/hostile/volume']:
    os.makedirs(folder)
    shutil.copy('/usr/bin/id', folder + '/setuid')
    os.chmod(folder + '/setuid', 0o6755)
    for name, (kind, major, minor) in {'memory': MEMORY, 'zero': ZERO, 'disk': DISK}.items():
        os.mknod(f'{folder}/{name}', kind, os.makedev(major, minor))
        os.chmod(f'{folder}/{name}', 0o666)
    os.symlink('../' * 20 + 'etc/hostname', folder + '/link')
    open(folder.encode() + b'/\\xff\\xfe', 'w').close()

# A program with CAP_DAC_OVERRIDE, and what only that opens.
shutil.copy('/usr/bin/cat', '/hostile/capable')
os.setxattr('/hostile/capable', 'security.capability', struct.pack('<5I', 0x02000001, 1 << 1, 0, 0, 0))
with open('/hostile/secret', 'w') as file: file.write('secret')
os.chmod('/hostile/secret', 0o600)

# The user of functions is named as root, and is in root's group.
with open('/etc/passwd', 'a') as file: file.write('993:x:0:0::/:/bin/sh\\nsandbox:x:993:0::/:/bin/sh\\n')
with open('/etc/group', 'a') as file: file.write('990:x:0:sandbox\\nwheel:x:0:sandbox,993\\n')

for number in range(200):
    os.makedirs(f'/hostile/entries/{number}')
    for entry in range(1000): os.mknod(f'/hostile/entries/{number}/{entry}')
`
const PROBE = `
import errno, os, subprocess
def attempt(act):
    try: return act()
    except OSError as error: return errno.errorcode[error.errno]
def device(path):
    return [attempt(lambda: os.read(os.open(path, os.O_RDONLY), 1).hex()), attempt(lambda: os.write(os.open(path, os.O_WRONLY), b'x'))]
def text(*command):
    return attempt(lambda: subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.strip())
def probed(folder):
    return {'setuid': [text(folder + '/setuid', '-u'), text(folder + '/setuid', '-g')],
            'devices': {name: device(f'{folder}/{name}') for name in ['memory', 'disk', 'zero']},
            'link': text('cat', folder + '/link'),
            'names': [name.hex() for name in os.listdir(folder.encode()) if max(name) > 127]}
def handler(event, context):
    return {'image': probed('/hostile'), 'volume': probed('/hostile/volume'),
            'capable': text('/hostile/capable', '/hostile/secret'),
            'user': [os.getresuid(), os.getresgid(), os.getgroups()],
            'made': attempt(lambda: os.mknod('/tmp/device', 0o020666, os.makedev(1, 5))),
            'entries': sum(len(files) for _, _, files in os.walk('/hostile/entries'))}
`

describe('a hostile image', () => {
  it('with links, devices, setuid files, 200,000 entries and names that are not UTF-8 gets nothing from them', async () => {
    const dockerfile = `FROM hearth-runtime:python3.13
USER root
COPY make.py app.py /var/task/
RUN /var/lang/bin/python3 /var/task/make.py
VOLUME /hostile/volume
CMD ["app.handler"]
`
    // The harmless device shows that the others are real ones, which only the sandbox refuses.
    const devices = { memory: ['EPERM', 'EPERM'], disk: ['EPERM', 'EPERM'], zero: ['00', 1] }
    const held = { setuid: ['993', '990'], devices, link: 'sandbox', names: ['fffe'] }
    expect(await answerOf('hostile', dockerfile, { 'make.py': MAKE, 'app.py': PROBE })).toEqual({
      image: held,
      volume: held,
      capable: expect.not.stringContaining('secret'),
      user: [[993, 993, 993], [990, 990, 990], [990]],
      made: 'EPERM',
      entries: 200_000,
    })
  })

  it('with links in the places of what the sandbox mounts leads them nowhere outside of itself', async () => {
    const dockerfile = `FROM hearth-runtime:python3.13
USER root
COPY app.py /var/task/
RUN rm -rf /tmp /var/hearth && mkdir -p /elsewhere/a /elsewhere/b && \\
  ln -s ${'../'.repeat(20)}elsewhere/a /tmp && ln -s ${'../'.repeat(20)}elsewhere/b /var/hearth
CMD ["app.handler"]
`
    const app = `import os
def handler(event, context):
    open('/tmp/file', 'w').close()
    return {folder: os.listdir(folder) for folder in ['/elsewhere/a', '/elsewhere/b']}
`
    expect(await answerOf('links', dockerfile, { 'app.py': app })).toEqual({
      '/elsewhere/a': ['file'],
      '/elsewhere/b': ['supervisor'],
    })
  })
})
