/** IPv4 networks as numbers. */

export interface Cidr {
  /** First address, as an unsigned 32-bit number. */
  readonly base: number
  /** 0–32. */
  readonly prefix: number
}

/** `undefined` when the text is no IPv4 network in CIDR notation; host bits are cleared. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text.trim())
  if (!match) return undefined
  const [a, b, c, d, prefix] = match.slice(1).map(Number) as [number, number, number, number, number]
  if (Math.max(a, b, c, d) > 255 || prefix > 32) return undefined
  const address = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
  return { base: masked(address, prefix), prefix }
}

export function sizeOf(cidr: Cidr): number {
  return 2 ** (32 - cidr.prefix)
}

export function overlap(one: Cidr, other: Cidr): boolean {
  const prefix = Math.min(one.prefix, other.prefix)
  return masked(one.base, prefix) === masked(other.base, prefix)
}

/** The parts of `pool` that are as large as `/prefix`, in order. */
export function* subnets(pool: Cidr, prefix: number): Generator<Cidr> {
  if (prefix < pool.prefix) return
  const size = 2 ** (32 - prefix)
  for (let base = pool.base; base < pool.base + sizeOf(pool); base += size) yield { base, prefix }
}

/** The address with that number within the network, e.g. 1 for the first usable one. */
export function addressAt(cidr: Cidr, index: number): string {
  const address = cidr.base + index
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')
}

/** The address that every machine of the network listens to. */
export function broadcastOf(cidr: Cidr): string {
  return addressAt(cidr, sizeOf(cidr) - 1)
}

export function formatCidr(cidr: Cidr): string {
  return `${addressAt(cidr, 0)}/${cidr.prefix}`
}

export function contains(cidr: Cidr, address: string): boolean {
  const parsed = parseCidr(`${address}/32`)
  return parsed !== undefined && parsed.base >= cidr.base && parsed.base < cidr.base + sizeOf(cidr)
}

function masked(address: number, prefix: number): number {
  return prefix === 0 ? 0 : (address & (0xffffffff << (32 - prefix))) >>> 0
}
