/** Networks of subnets and security groups: a sandbox joins them besides its own, between its creation and its start. */
import type Dockerode from 'dockerode'
import { SandboxError, type SandboxNetwork } from '../../driver.ts'
import { bounded, statusOf } from '../engine/errors.ts'

const LIMIT_MS = 30_000

export class Attachments {
  readonly #docker: Dockerode
  readonly #max: number
  #taken = 0

  /** @param max connections of all sandboxes at the same time */
  constructor(docker: Dockerode, max: number) {
    this.#docker = docker
    this.#max = max
  }

  /** Room for so many connections. Returns the function that gives it back. @throws SandboxError */
  take(networks: readonly SandboxNetwork[]): () => void {
    const number = networks.length
    if (this.#taken + number > this.#max) {
      throw new SandboxError(
        'attachments-exhausted',
        'TooManyAttachments',
        `Could not join ${names(networks)}: ${this.#taken} of ${this.#max} connections to networks are in use.`,
        'Raise HEARTH_MAX_NETWORK_ATTACHMENTS, or lower the concurrency of functions with a VpcConfig.',
      )
    }
    this.#taken += number
    let held = true
    return () => {
      if (held) this.#taken -= number
      held = false
    }
  }

  /** @throws SandboxError */
  async join(container: string, networks: readonly SandboxNetwork[]): Promise<void> {
    // One after the other: the engine locks the container anyway, and the interfaces get a certain order.
    for (const network of networks) {
      await bounded(LIMIT_MS, `join the network ${network.name}`, () =>
        this.#docker.getNetwork(network.name).connect({ Container: container }),
      ).catch((error: SandboxError) => {
        const status = statusOf(error.cause) ?? 0
        // 404: it is not there. 403: it is not one that containers can join.
        throw status >= 400 && status < 500 ? missing(network, error) : (joinFailure(error, [network]) ?? error)
      })
    }
  }

  /** Why the engine could not start a sandbox that joined networks; `undefined`: not because of them. */
  async explain(error: SandboxError, networks: readonly SandboxNetwork[]): Promise<SandboxError | undefined> {
    if (networks.length === 0) return undefined
    // The engine names a network that vanished by its id only.
    if (/network \S+ not found/i.test(error.message)) {
      for (const network of networks) if (await this.#gone(network)) return missing(network, error)
    }
    return joinFailure(error, networks)
  }

  async #gone({ name }: SandboxNetwork): Promise<boolean> {
    try {
      await bounded(LIMIT_MS, 'look at a network', () => this.#docker.getNetwork(name).inspect())
      return false
    } catch (error) {
      return statusOf((error as Error).cause) === 404
    }
  }
}

function joinFailure(error: SandboxError, networks: readonly SandboxNetwork[]): SandboxError | undefined {
  const network = networks.find(({ name }) => error.message.includes(name))
  if (network === undefined) return undefined
  if (/no available ip|address(es)? pool|no more free/i.test(error.message)) {
    return new SandboxError(
      'addresses-exhausted',
      error.code,
      error.message,
      `Remove containers from the network ${network.name}, give it a larger subnet, or lower the function's concurrency.`,
      error,
      network.id,
    )
  }
  if (/exchange full|too many/i.test(error.message)) {
    return new SandboxError(
      'attachments-exhausted',
      error.code,
      error.message,
      `The bridge of the network ${network.name} is full: spread functions over several networks (HEARTH_SUBNETS).`,
      error,
      network.id,
    )
  }
  return undefined
}

function missing(network: SandboxNetwork, error: SandboxError): SandboxError {
  const subnet = network.kind === 'subnet'
  return new SandboxError(
    subnet ? 'subnet-missing' : 'security-group-missing',
    error.code,
    error.message,
    `Make the network again (docker network create ${network.name}), or correct ${subnet ? 'HEARTH_SUBNETS' : 'HEARTH_SECURITY_GROUPS'}: ${network.id} stands for it.`,
    error,
    network.id,
  )
}

function names(networks: readonly SandboxNetwork[]): string {
  return networks.map(({ name }) => name).join(', ')
}
