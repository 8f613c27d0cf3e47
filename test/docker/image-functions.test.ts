/** Functions of PackageType Image in real containers. Images are built from those of Hearth's own runtimes. */
import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  GetFunctionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LABELS } from '../../src/sandbox/docker/engine/labels.ts'
import { active, createFunction, invoke, ROLE, TIMEOUT_S } from '../support/functions.ts'
import { startTestHost, type TestHost } from '../support/host.ts'
import { buildImage, docker, removeImages } from '../support/images.ts'

const REPOSITORY = 'hearth-test-function'
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
  const digests = new Set([...built].map((id) => id.slice(7)))
  const { Volumes } = await docker.listVolumes({ filters: JSON.stringify({ label: [LABELS.functionImage] }) })
  for (const { Name, Labels } of Volumes) {
    if (digests.has(Labels?.[LABELS.functionImage] ?? '')) await docker.getVolume(Name).remove()
  }
})

async function image(tag: string, dockerfile: string, files: Record<string, string> = {}): Promise<string> {
  built.add(await buildImage(`${REPOSITORY}:${tag}`, dockerfile, files))
  return `${REPOSITORY}:${tag}`
}

async function create(name: string, ImageUri: string, settings: Partial<CreateFunctionCommandInput> = {}) {
  const created = await host.client.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Role: ROLE,
      PackageType: 'Image',
      Code: { ImageUri },
      Timeout: TIMEOUT_S,
      ...settings,
    }),
  )
  return created
}

/** Waits until the function is neither Pending nor being updated, and tells how that ended. */
async function settled(name: string) {
  for (;;) {
    const { Configuration = {} } = await host.client.send(new GetFunctionCommand({ FunctionName: name }))
    if (Configuration.State !== 'Pending' && Configuration.LastUpdateStatus !== 'InProgress') return Configuration
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const APP = (version: string) => `import os, subprocess
def handler(event, context):
    def writable(path):
        try:
            open(path, 'w').close()
            return True
        except OSError as error:
            return os.strerror(error.errno)
    return {'version': '${version}', 'user': [os.getuid(), os.getgid()], 'folder': os.getcwd(), 'handler': os.environ['_HANDLER'],
            'writable': {path: writable(path + '/x') for path in ['/tmp', '/var/task', '/data']},
            'data': os.path.exists('/data/seed'), 'name': os.environ['AWS_LAMBDA_FUNCTION_NAME'], 'own': os.environ.get('OWN')}
`
const PYTHON = `FROM hearth-runtime:python3.13
USER root
ENV OWN=from-image
RUN mkdir /data && touch /data/seed && chmod 777 /data && mkdir /elsewhere
VOLUME ["/data", "/tmp"]
COPY app.py /var/task/
CMD ["app.handler"]
`

describe('a function from an image', () => {
  it('runs the runtime client of the image as the user of functions, on a read-only root, volumes included', async () => {
    const uri = await image('first', PYTHON, { 'app.py': APP('1') })
    const id = (await docker.getImage(uri).inspect()).Id
    const created = await create('image', uri)
    expect(created).toMatchObject({ PackageType: 'Image', State: 'Pending', CodeSize: 0, CodeSha256: id.slice(7) })
    for (const absent of ['Runtime', 'Handler', 'RuntimeVersionConfig', 'ImageConfigResponse']) {
      expect(created).not.toHaveProperty(absent)
    }
    await waitUntilFunctionActiveV2({ client: host.client, maxWaitTime: 60 }, { FunctionName: 'image' })
    const { Code } = await host.client.send(new GetFunctionCommand({ FunctionName: 'image' }))
    expect(Code).toEqual({ RepositoryType: 'ECR', ImageUri: uri, ResolvedImageUri: `${REPOSITORY}@${id}` })
    const { body, log } = await invoke(host.client, 'image', {}, { LogType: 'Tail' })
    expect(body).toEqual({
      version: '1',
      user: [993, 990],
      folder: '/var/task',
      handler: 'app.handler',
      writable: { '/tmp': true, '/var/task': 'Read-only file system', '/data': 'Read-only file system' },
      data: true,
      name: 'image',
      own: 'from-image',
    })
    expect(log).toMatch(/^START RequestId: [^\n]*\nEND RequestId: [^\n]*\nREPORT /)
  })

  it('stays on the image it was created with when the tag moves, and when the engine is tidied up', async () => {
    const uri = await image('moving', PYTHON, { 'app.py': APP('old') })
    await create('pinned', uri)
    await active(host.client, 'pinned')
    const before = (await docker.getImage(uri).inspect()).Id
    await image('moving', PYTHON, { 'app.py': APP('new') })
    // Engines tidy up what has no tag.
    expect((await docker.getImage(before).inspect()).RepoTags).toEqual([expect.stringMatching(/^hearth-function-/)])
    expect((await invoke(host.client, 'pinned')).body).toMatchObject({ version: 'old' })
    await host.client.send(new UpdateFunctionCodeCommand({ FunctionName: 'pinned', ImageUri: uri }))
    await active(host.client, 'pinned')
    expect((await invoke(host.client, 'pinned')).body).toMatchObject({ version: 'new' })
  })

  it('overrides command and working directory, and gives them up again', async () => {
    const uri = await image('first', PYTHON, { 'app.py': APP('1') })
    const overrides = {
      Command: ['app.handler'],
      WorkingDirectory: '/elsewhere',
      EntryPoint: ['/lambda-entrypoint.sh'],
    }
    expect(await create('overridden', uri, { ImageConfig: overrides })).toMatchObject({
      ImageConfigResponse: { ImageConfig: overrides },
    })
    await active(host.client, 'overridden')
    expect((await invoke(host.client, 'overridden')).body).toMatchObject({ folder: '/elsewhere' })
    const cleared = await host.client.send(
      new UpdateFunctionConfigurationCommand({ FunctionName: 'overridden', ImageConfig: {} }),
    )
    expect(cleared.ImageConfigResponse).toBeUndefined()
    await active(host.client, 'overridden')
    expect((await invoke(host.client, 'overridden')).body).toMatchObject({ folder: '/var/task' })
  })

  it('answers as AWS when its entry point or its working directory cannot be used', async () => {
    const uri = await image(
      'broken',
      `FROM hearth-base:bookworm
COPY unreadable /unreadable
COPY broken.sh /broken.sh
ENTRYPOINT ["/nothing"]
`,
      { unreadable: 'x', 'broken.sh': '\u007fELF is not what this is' },
    )
    const failures: [string, object, string, RegExp][] = [
      ['missing', {}, 'Runtime.InvalidEntrypoint', /fork\/exec \/nothing: no such file or directory$/],
      [
        'refused',
        { EntryPoint: ['/unreadable'] },
        'Runtime.InvalidEntrypoint',
        /fork\/exec \/unreadable: permission denied$/,
      ],
      [
        'foreign',
        { EntryPoint: ['/broken.sh'] },
        'Runtime.InvalidEntrypoint',
        /fork\/exec \/broken\.sh: exec format error$/,
      ],
      [
        'unknown',
        { EntryPoint: ['no-such\nexit runtime code=0 oom=0'] },
        'Runtime.InvalidEntrypoint',
        /no such file or directory$/,
      ],
      [
        'nowhere',
        { EntryPoint: ['sh'], WorkingDirectory: '/no/where' },
        'Runtime.InvalidWorkingDir',
        /chdir \/no\/where: no such file or directory$/,
      ],
      ['ends', { EntryPoint: ['sh', '-c', 'exit 7'] }, 'Runtime.ExitError', /exit status 7$/],
    ]
    await Promise.all(
      failures.map(async ([name, ImageConfig]) => {
        await create(name, uri, { ImageConfig })
        await active(host.client, name)
      }),
    )
    for (const [name, , errorType, errorMessage] of failures) {
      const { body, FunctionError } = await invoke(host.client, name)
      expect(FunctionError).toBe('Unhandled')
      expect(body, name).toEqual({ errorType, errorMessage: expect.stringMatching(errorMessage) })
    }
  })

  it('ends with status 142 when the entry point of the base images gets no handler', async () => {
    const uri = await image('handlerless', 'FROM hearth-runtime:python3.13\nCMD []\n')
    await create('handlerless', uri)
    await active(host.client, 'handlerless')
    const { body } = await invoke(host.client, 'handlerless')
    expect(body).toMatchObject({
      errorType: 'Runtime.ExitError',
      errorMessage: expect.stringMatching(/exit status 142$/),
    })
  })

  it('becomes Failed, with a reason, when its image cannot be a function', async () => {
    const variables = Array.from({ length: 20 }, (_, i) => `ENV V${i}=${'x'.repeat(4000)}`).join('\n')
    const images: [string, string, RegExp][] = [
      ['no-program', 'FROM hearth-base:bookworm\nENTRYPOINT []\nCMD []\n', /neither ENTRYPOINT nor CMD/],
      ['volume', 'FROM hearth-base:bookworm\nVOLUME /var\nCMD ["sh"]\n', /declares \/var as a volume/],
      ['environment', `FROM hearth-base:bookworm\n${variables}\nCMD ["sh"]\n`, /environment variables have \d+ bytes/],
    ]
    for (const [name, dockerfile, reason] of images) {
      await create(name, await image(name, dockerfile))
      expect(await settled(name)).toMatchObject({
        State: 'Failed',
        StateReasonCode: 'InvalidImage',
        StateReason: expect.stringMatching(reason),
      })
    }
  })

  it('is refused when there is no such image anywhere, or no such name', async () => {
    await expect(create('f', 'localhost:1/no/such:image')).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: expect.stringMatching(
        /^Source image localhost:1\/no\/such:image does not exist\. Provide a valid source image\./,
      ),
    })
    await expect(create('f', '../containers/json?all=1')).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: expect.stringMatching(/is not valid\. Provide a valid source image\.$/),
    })
  })

  it('answers InvalidRuntimeException when its image is gone, and works again when it is back', async () => {
    const uri = await image('gone', `${PYTHON}LABEL once=gone\n`, { 'app.py': APP('gone') })
    await create('gone', uri)
    await active(host.client, 'gone')
    const archive: Buffer[] = []
    for await (const chunk of await docker.getImage(uri).get()) archive.push(chunk as Buffer)
    await removeImages([uri])
    await expect(invoke(host.client, 'gone')).rejects.toMatchObject({ name: 'InvalidRuntimeException' })
    const { Readable } = await import('node:stream')
    await docker
      .loadImage(Readable.from(archive))
      .then((stream) => new Promise<void>((resolve) => docker.modem.followProgress(stream, () => resolve())))
    expect((await invoke(host.client, 'gone')).body).toMatchObject({ version: 'gone' })
  })
})
