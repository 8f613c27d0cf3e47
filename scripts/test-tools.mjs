// The real clients and servers that tests use: AWS CLI, boto3, moto's server (SQS, SNS, EventBridge, S3), Go, Java, docker-compose, an image
// registry, deploy tools.
// Each is installed only where it is missing.
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { canInstall, install, unpack } from './debian.mjs'
import { must, ROOT, run, say, step, works } from './steps.mjs'

const TOOLS = join(ROOT, '.hearth/test-tools')
const VENV = join(TOOLS, 'python')
const BIN = join(TOOLS, 'bin')

/** Environment in which the tests find them: `python3` with boto3, `aws`, `go` with its caches in the checkout. */
export function toolEnvironment() {
  const path = [BIN, join(VENV, 'bin'), process.env.PATH ?? '', '/usr/local/go/bin', '/usr/sbin', '/sbin']
  return { PATH: path.join(':'), GOPATH: join(TOOLS, 'go'), GOCACHE: join(TOOLS, 'go-build'), GOFLAGS: '-modcacherw' }
}

/** What its server needs for four services: `moto[server]` would bring eighty packages more. */
const MOTO = ['moto[s3]', 'flask', 'flask-cors']

const PYTHON = {
  packages: ['python3', 'python3-venv', 'python3-pip'],
  present: () => works('python3', ['-c', 'import venv, ensurepip']),
}

const GO = {
  packages: ['golang-go'],
  present: async () => (await works('go', ['version'])) || existsSync('/usr/local/go/bin/go'),
}

/** What each project of tests needs, by package. */
const NEEDED = {
  conformance: [
    { packages: ['awscli'], present: async () => (await findAws()) !== undefined },
    PYTHON,
    // Old as it may be, it fetches the one that the SDK needs.
    GO,
    // The SDK for Rust needs a newer compiler than Debian 12 has: its test uses the machine's or says why it does not.
    {
      packages: ['maven', 'openjdk-17-jdk-headless'],
      present: async () => (await works('mvn', ['--version'])) && (await works('javac', ['-version'])),
    },
  ],
  contract: [GO],
  docker: [
    PYTHON,
    {
      packages: ['docker-compose'],
      present: async () => (await works('docker-compose', ['version'])) || works('docker', ['compose', 'version']),
    },
  ],
}

export async function ensureTestTools(projects) {
  const missing = []
  for (const project of projects) {
    for (const tool of NEEDED[project] ?? []) {
      if (!(await tool.present())) missing.push(...tool.packages)
    }
  }
  if (missing.length > 0) {
    if (canInstall()) await step(`Installing test tools: ${missing.join(', ')}`, () => install(missing))
    else
      say(
        `Not installed, because that takes root on Debian or Ubuntu: ${missing.join(', ')}. Tests that need them will fail.`,
      )
  }
  if (projects.includes('conformance')) {
    await linkAws()
  }
  if (projects.includes('docker')) await ensureRegistry()
  if (projects.includes('conformance')) await ensureDeployTools()
  // Tests of asynchronous events run both against functions and without them.
  if (projects.includes('conformance') || projects.includes('docker')) await ensurePython()
}

/** An AWS CLI of version 2: version 1 may come first on the PATH, and has other options. */
async function findAws() {
  for (const path of ['aws', '/usr/bin/aws', '/usr/local/bin/aws']) {
    const { status, output } = await run(path, ['--version'], { quiet: true })
    if (status === 0 && output.includes('aws-cli/2')) return path
  }
  return undefined
}

async function linkAws() {
  const path = await findAws()
  const link = join(BIN, 'aws')
  rmSync(link, { force: true })
  if (path === undefined || path === 'aws') return
  mkdirSync(BIN, { recursive: true })
  symlinkSync(path, link)
}

/** Only unpacked: installed, it would run as a service of the machine. */
async function ensureRegistry() {
  if (await works(join(BIN, 'docker-registry'))) return
  if (await works('docker-registry')) return
  if (!canInstall())
    return say('docker-registry is missing: only root on Debian or Ubuntu can unpack it. Its tests will fail.')
  const folder = join(TOOLS, 'registry')
  await step('Unpacking docker-registry for the tests', async () => {
    rmSync(folder, { recursive: true, force: true })
    await unpack('docker-registry', folder)
    mkdirSync(BIN, { recursive: true })
    rmSync(join(BIN, 'docker-registry'), { force: true })
    symlinkSync(join(folder, 'usr/bin/docker-registry'), join(BIN, 'docker-registry'))
  })
}

/** From PyPI, each without what a deployment does not need: cargo-lambda would bring a compiler of 400 MB. */
const DEPLOY_TOOLS = ['chalice', 'ansible-core', 'boto3']

/** Chalice, Ansible with its modules for AWS, cargo-lambda and node-lambda. */
async function ensureDeployTools() {
  const venv = join(TOOLS, 'deploy-tools')
  const python = join(venv, 'bin/python3')
  const modules = join(TOOLS, 'ansible')
  const npm = join(TOOLS, 'node-lambda')
  const present =
    existsSync(join(venv, 'bin/cargo-lambda')) &&
    existsSync(join(modules, 'ansible_collections/ansible/posix')) &&
    (await works(python, ['-c', 'import chalice, ansible, boto3']))
  if (!present) {
    await step('Installing the deploy tools that tests use: chalice, Ansible, cargo-lambda', async () => {
      mkdirSync(TOOLS, { recursive: true })
      await must('python3', ['-m', 'venv', '--clear', venv])
      const pip = (...args) => must(python, ['-m', 'pip', ...args, '--quiet', '--disable-pip-version-check'])
      await pip('install', ...DEPLOY_TOOLS)
      await pip('install', '--no-deps', 'cargo-lambda')
      // The modules come only with all of Ansible's collections, half a gigabyte: two of them are unpacked.
      const download = join(TOOLS, 'ansible-download')
      rmSync(download, { recursive: true, force: true })
      await pip('download', '--no-deps', '--dest', download, 'ansible')
      await must(python, ['-c', UNPACK_MODULES, download, modules])
      rmSync(download, { recursive: true, force: true })
    })
  }
  if (!existsSync(join(npm, 'node_modules/node-lambda'))) {
    await step('Installing the deploy tool that tests use: node-lambda', async () => {
      mkdirSync(npm, { recursive: true })
      writeFileSync(join(npm, 'package.json'), '{"private": true}')
      await must('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', 'node-lambda@1'], { cwd: npm })
    })
  }
}

const UNPACK_MODULES = `
import glob, sys, zipfile
wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + '/ansible-*.whl')[0])
wanted = ('ansible_collections/amazon/aws/', 'ansible_collections/ansible/posix/')
wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name.startswith(wanted)])
`

async function ensurePython() {
  const python = join(VENV, 'bin/python3')
  if (existsSync(python) && (await works(python, ['-c', 'import boto3, moto.server, yaml']))) return
  await step("Installing boto3 and moto's server for the tests", async () => {
    mkdirSync(TOOLS, { recursive: true })
    await must('python3', ['-m', 'venv', '--clear', VENV])
    await must(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', 'boto3', ...MOTO])
  })
}
