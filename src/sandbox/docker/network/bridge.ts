/** One network of ours: a Linux bridge with an explicit subnet, and the addresses on it. */
import type { Place } from '../../driver.ts'
import { addressAt, type Cidr, contains, sizeOf } from './cidr.ts'
import type { PortRange } from './firewall.ts'
import type { Relay } from './relay.ts'

/** A /23 has 509 addresses besides the gateway; a Linux bridge has about 1,023 ports. */
export const BRIDGE_PREFIX = 23
const PLACES_PER_BRIDGE = 500

export class Bridge {
  readonly name: string
  readonly interfaceName: string
  readonly gateway: string
  readonly subnet: Cidr
  readonly relays: Relay[] = []
  /** Ports of the gateway that sandboxes may reach. */
  readonly admitted: PortRange[] = []
  /** In the order of their return, so that an address rests as long as possible before somebody else has it. */
  readonly #free = new Set<string>()

  constructor(name: string, interfaceName: string, subnet: Cidr) {
    this.name = name
    this.interfaceName = interfaceName
    this.subnet = subnet
    this.gateway = addressAt(subnet, 1)
    // The last address is the broadcast address.
    const places = Math.min(PLACES_PER_BRIDGE, sizeOf(subnet) - 3)
    for (let index = 0; index < places; index++) this.#free.add(addressAt(subnet, index + 2))
  }

  get free(): number {
    return this.#free.size
  }

  contains(address: string): boolean {
    return contains(this.subnet, address)
  }

  admits(range: PortRange): boolean {
    return this.admitted.some((one) => one.first <= range.first && one.last >= range.last)
  }

  /** A free place, or `undefined` when there is none. */
  take(): BridgePlace | undefined {
    for (const address of this.#free) {
      this.#free.delete(address)
      return new BridgePlace(this, address, () => this.#free.add(address))
    }
    return undefined
  }
}

export class BridgePlace implements Place {
  readonly bridge: Bridge
  readonly hostAddress: string
  readonly sandboxAddress: string
  readonly #giveBack: () => void
  #released = false
  #holders = 0

  constructor(bridge: Bridge, address: string, giveBack: () => void) {
    this.bridge = bridge
    this.hostAddress = bridge.gateway
    this.sandboxAddress = address
    this.#giveBack = giveBack
  }

  /** A container may have the address: it is not free, even if released, before every holder has called the function returned. */
  hold(): () => void {
    this.#holders++
    let held = true
    return () => {
      if (!held) return
      held = false
      if (--this.#holders === 0 && this.#released) this.#giveBack()
    }
  }

  release(): void {
    if (this.#released) return
    this.#released = true
    if (this.#holders === 0) this.#giveBack()
  }
}
