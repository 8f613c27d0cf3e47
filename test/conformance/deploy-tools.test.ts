/** Deploy tools as their users run them: create, invoke, change, remove. Real host, real containers, the tools from their registries. */
import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { GetFunctionConfigurationCommand, ListTagsCommand } from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { active, invoke, ROLE } from '../support/functions.ts'
import { fetchGo } from '../support/go.ts'
import { startTestHost, type TestHost } from '../support/host.ts'

const run = promisify(execFile)

/** `npm test` puts the tools there (scripts/test-tools.mjs). */
const TOOLS = resolve(import.meta.dirname, '../../.hearth/test-tools')

let host: TestHost
let folder: string
beforeAll(async () => {
  host = await startTestHost()
  folder = await mkdtemp(join(tmpdir(), 'hearth-deploy-tools-'))
})
afterAll(async () => {
  await host?.stop()
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

const environment = () => ({
  PATH: process.env.PATH ?? '',
  HOME: process.env.HOME ?? folder,
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_REGION: 'us-east-1',
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_ENDPOINT_URL: host.url,
  ANSIBLE_COLLECTIONS_PATH: join(TOOLS, 'ansible'),
  ANSIBLE_LOCALHOST_WARNING: 'false',
  ANSIBLE_STDOUT_CALLBACK: 'ansible.posix.json',
})

async function tool(cwd: string, command: string, ...args: string[]): Promise<string> {
  try {
    return (await run(command, args, { cwd, env: environment(), maxBuffer: 16 * 1024 * 1024 })).stdout
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${command} ${args.join(' ')}\n${stdout}\n${stderr}`)
  }
}

async function project(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const path = join(folder, name)
  for (const [file, content] of Object.entries(files)) {
    await mkdir(join(path, file, '..'), { recursive: true })
    await writeFile(join(path, file), content)
  }
  return path
}

describe('chalice', () => {
  const app = (sum: string) => `from chalice import Chalice
app = Chalice(app_name='shop')
@app.lambda_function(name='add')
def add(event, context):
    return {'sum': ${sum}}
`

  it('deploys, invokes, deploys again and deletes', async () => {
    const path = await project('chalice', {
      'app.py': app("event['a'] + event['b']"),
      'requirements.txt': '',
      '.chalice/config.json': JSON.stringify({
        version: '2.0',
        app_name: 'shop',
        stages: { dev: { manage_iam_role: false, iam_role_arn: ROLE, environment_variables: { STAGE: 'dev' } } },
      }),
    })
    const chalice = (...args: string[]) => tool(path, join(TOOLS, 'deploy-tools/bin/chalice'), ...args)
    await chalice('deploy')
    await active(host.client, 'shop-dev-add')
    await writeFile(join(path, 'event.json'), '{"a": 1, "b": 2}')
    const answer = await run('sh', ['-c', `"$0" invoke -n add < event.json`, join(TOOLS, 'deploy-tools/bin/chalice')], {
      cwd: path,
      env: environment(),
    })
    expect(JSON.parse(answer.stdout)).toEqual({ sum: 3 })

    await writeFile(join(path, 'app.py'), app("event['a'] * 10"))
    await chalice('deploy')
    await active(host.client, 'shop-dev-add')
    expect((await invoke(host.client, 'shop-dev-add', { a: 4 })).body).toEqual({ sum: 40 })

    await chalice('delete')
    await expect(invoke(host.client, 'shop-dev-add')).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })
})

describe("Ansible's modules", () => {
  interface Task {
    readonly hosts: Readonly<Record<string, Readonly<Record<string, unknown>> & { readonly changed: boolean }>>
  }

  const playbook = async (path: string, name: string, tasks: readonly object[]) => {
    const file = join(path, `${name}.yml`)
    const play = { hosts: 'localhost', connection: 'local', gather_facts: false, tasks }
    await writeFile(file, JSON.stringify([play]))
    const output = await tool(path, join(TOOLS, 'deploy-tools/bin/ansible-playbook'), file)
    const { plays } = JSON.parse(output) as { plays: { tasks: Task[] }[] }
    return plays[0]!.tasks.map((task) => task.hosts.localhost!)
  }

  it('create, run, alias and delete a function, and change nothing the second time', async () => {
    const path = await project('ansible', {
      'index.mjs': 'export const handler = async (event) => ({ hello: event.name })',
    })
    await tool(path, 'python3', '-m', 'zipfile', '-c', 'f.zip', 'index.mjs')
    const python = join(TOOLS, 'deploy-tools/bin/python3')
    const connected = { endpoint_url: host.url, region: 'us-east-1', access_key: 'test', secret_key: 'test' }
    const vars = { ansible_python_interpreter: python }
    const lambda = {
      name: 'play',
      zip_file: join(path, 'f.zip'),
      runtime: 'nodejs22.x',
      handler: 'index.handler',
      role: ROLE,
      timeout: 60,
      tags: { team: 'a' },
      environment_variables: { COLOR: 'red' },
      ...connected,
    }
    const create = { 'amazon.aws.lambda': { ...lambda, state: 'present' }, vars }
    const [created] = await playbook(path, 'create', [create])
    expect(created?.changed).toBe(true)
    await active(host.client, 'play')

    const [again, executed, alias, info] = await playbook(path, 'use', [
      create,
      { 'amazon.aws.lambda_execute': { name: 'play', payload: { name: 'you' }, ...connected }, vars },
      {
        'amazon.aws.lambda_alias': { function_name: 'play', name: 'live', function_version: 1, ...connected },
        vars,
      },
      { 'amazon.aws.lambda_info': { function_name: 'play', query: 'all', ...connected }, vars },
    ])
    expect(again?.changed).toBe(false)
    expect(executed?.result).toMatchObject({ output: { hello: 'you' }, status: 200 })
    expect(alias?.changed).toBe(true)
    expect(info?.functions).toMatchObject([
      { function_name: 'play', aliases: [{ name: 'live', function_version: '1' }] },
    ])
    const { FunctionArn } = await host.client.send(new GetFunctionConfigurationCommand({ FunctionName: 'play' }))
    expect((await host.client.send(new ListTagsCommand({ Resource: FunctionArn }))).Tags).toEqual({ team: 'a' })

    const [changed, removed] = await playbook(path, 'end', [
      { 'amazon.aws.lambda': { ...lambda, state: 'present', environment_variables: {} }, vars },
      { 'amazon.aws.lambda': { name: 'play', state: 'absent', ...connected }, vars },
    ])
    expect(changed?.changed).toBe(true)
    expect(removed?.changed).toBe(true)
    await expect(invoke(host.client, 'play')).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })
})

describe('node-lambda', () => {
  it('deploys and deploys again', async () => {
    const handler = (text: string) => `export const handler = async () => ({ text: '${text}' })`
    const path = await project('node-lambda', {
      'index.mjs': handler('first'),
      'package.json': '{"name": "node-lambda-function", "version": "1.0.0", "private": true}',
      'deploy.env': 'COLOR=red\n',
    })
    const deploy = () =>
      tool(
        path,
        process.execPath,
        join(TOOLS, 'node-lambda/node_modules/node-lambda/bin/node-lambda'),
        'deploy',
        ...['--endpoint', host.url, '--role', ROLE, '--functionName', 'nodelambda', '--runtime', 'nodejs22.x'],
        ...['--configFile', 'deploy.env'],
      )
    await deploy()
    await active(host.client, 'nodelambda')
    expect((await invoke(host.client, 'nodelambda')).body).toEqual({ text: 'first' })
    await writeFile(join(path, 'index.mjs'), handler('second'))
    await deploy()
    await active(host.client, 'nodelambda')
    expect((await invoke(host.client, 'nodelambda')).body).toEqual({ text: 'second' })
    const found = await host.client.send(new GetFunctionConfigurationCommand({ FunctionName: 'nodelambda' }))
    expect(found.Environment?.Variables).toEqual({ COLOR: 'red' })
  })
})

describe('cargo-lambda', () => {
  /** What `cargo lambda build` would leave: the tool looks at the file, so it is a real program for Linux. */
  const PROGRAM = `package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
)

func main() {
	api := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		event, err := http.Get(api + "next")
		if err != nil {
			os.Exit(1)
		}
		body, _ := io.ReadAll(event.Body)
		event.Body.Close()
		id := event.Header.Get("Lambda-Runtime-Aws-Request-Id")
		answer, err := http.Post(api+id+"/response", "application/json", bytes.NewReader(body))
		if err != nil {
			os.Exit(1)
		}
		answer.Body.Close()
	}
}
`

  it('deploys a program with an alias, and invokes it', async (test) => {
    const cargo = await run('cargo', ['--version']).catch(() => undefined)
    if (cargo === undefined) test.skip('it asks cargo about the project, and cargo is not on this machine')
    const path = await project('cargo-lambda', {
      'Cargo.toml': '[package]\nname = "echo"\nversion = "0.1.0"\nedition = "2021"\n',
      'src/main.rs': 'fn main() {}\n',
      'program/main.go': PROGRAM,
    })
    await run(await fetchGo(folder), ['build', '-o', join(path, 'bootstrap'), 'main.go'], {
      cwd: join(path, 'program'),
      env: { ...process.env, CGO_ENABLED: '0' },
    })
    await chmod(join(path, 'bootstrap'), 0o755)
    const lambda = (...args: string[]) => tool(path, join(TOOLS, 'deploy-tools/bin/cargo-lambda'), 'lambda', ...args)
    const at = ['--endpoint-url', host.url]
    const deploy = ['deploy', 'echo', '--binary-path', 'bootstrap', '--iam-role', ROLE, '--alias', 'live', ...at]
    await lambda(...deploy, '--timeout', '60')
    expect(JSON.parse(await lambda('invoke', 'echo', '--remote', '--data-ascii', '{"a":1}', ...at))).toEqual({ a: 1 })
    await lambda(...deploy, '--memory', '256', '--timeout', '60')
    await active(host.client, 'echo')
    const found = await host.client.send(new GetFunctionConfigurationCommand({ FunctionName: 'echo' }))
    expect(found.MemorySize).toBe(256)
    expect((await invoke(host.client, 'echo', { b: 2 }, { Qualifier: 'live' })).body).toEqual({ b: 2 })
  })
})
