/**
 * A container image whose maker wants out of the sandbox. Packages and layers that are hostile in the same ways never come this far: see
 * test/unit/code/{zip,layers}.test.ts. An image is unpacked by the engine, so here the sandbox must hold.
 */
import { CreateFunctionCommand, GetFunctionCommand } from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LABELS } from '../../src/sandbox/docker/engine/labels.ts'
import { active, createFunction, invoke, ROLE } from '../support/functions.ts'
import { startTestHost, type TestHost } from '../support/host.ts'
import { buildImage, docker, removeImages } from '../support/images.ts'
import { until } from '../support/until.ts'

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

async function create(name: string, dockerfile: string, files: Record<string, string> = {}): Promise<void> {
  built.add(await buildImage(`${REPOSITORY}:${name}`, dockerfile, files))
  const Code = { ImageUri: `${REPOSITORY}:${name}` }
  await host.client.send(new CreateFunctionCommand({ FunctionName: name, Role: ROLE, PackageType: 'Image', Code }))
}

async function answerOf(...image: Parameters<typeof create>): Promise<unknown> {
  const [name] = image
  await create(...image)
  await active(host.client, name)
  return (await invoke(host.client, name)).body
}

/** Runs as root while the image is built. `/hostile/volume` is declared a volume, which the engine copies out of the image. */
const MAKE = `
import os, shutil, stat, struct
for folder in ['/hostile', '/hostile/volume']:
    os.makedirs(folder)
    shutil.copy('/usr/bin/id', folder + '/setuid')
    os.chmod(folder + '/setuid', 0o6755)
    os.mknod(folder + '/zero', stat.S_IFCHR | 0o644, os.makedev(1, 5))
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
def text(*command):
    return attempt(lambda: subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.strip())
def probed(folder):
    return {'setuid': [text(folder + '/setuid', '-u'), text(folder + '/setuid', '-g')],
            'zero': attempt(lambda: os.read(os.open(folder + '/zero', os.O_RDONLY), 1).hex()),
            'link': text('cat', folder + '/link'),
            'names': [name.hex() for name in os.listdir(folder.encode()) if max(name) > 127]}
def handler(event, context):
    return {'image': probed('/hostile'), 'volume': probed('/hostile/volume'),
            'capable': text('/hostile/capable', '/hostile/secret'),
            'user': [os.getresuid(), os.getresgid(), os.getgroups()],
            'made': attempt(lambda: os.mknod('/tmp/device', 0o020666, os.makedev(5, 1))),
            'entries': sum(len(files) for _, _, files in os.walk('/hostile/entries'))}
`

describe('a hostile image', () => {
  it('with links, setuid files, harmless devices, 200,000 entries and names that are not UTF-8 gets nothing from them', async () => {
    const dockerfile = `FROM hearth-runtime:python3.13
USER root
COPY make.py app.py /var/task/
RUN /var/lang/bin/python3 /var/task/make.py
VOLUME /hostile/volume
CMD ["app.handler"]
`
    const held = { setuid: ['993', '990'], zero: '00', link: 'sandbox', names: ['fffe'] }
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

  it.each([
    ['console', 'RUN mknod -m 666 /srv/console c 5 1', '/srv/console (character device 5:1)'],
    ['disk', 'RUN mkdir /data && mknod -m 666 /data/disk b 8 0\nVOLUME /data', '/data/disk (block device 8:0)'],
  ])('with a device of the machine makes its function Failed: %s', async (name, lines, device) => {
    await create(name, `FROM hearth-base:bookworm\n${lines}\nCMD ["sh"]\n`)
    const { Configuration } = await until(async () => {
      const found = await host.client.send(new GetFunctionCommand({ FunctionName: name }))
      return found.Configuration?.State === 'Pending' ? undefined : found
    })
    expect(Configuration).toMatchObject({
      State: 'Failed',
      StateReasonCode: 'InvalidImage',
      StateReason: `The image contains the device file ${device}, which a function cannot have. Build the image without it.`,
    })
  })
})
