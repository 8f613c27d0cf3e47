/** IPv4 networks that this machine already reaches, so that ours overlap none of them. */
import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { type Cidr, parseCidr } from './cidr.ts'

export async function networksInUse(): Promise<Cidr[]> {
  const used: Cidr[] = []
  for (const addresses of Object.values(networkInterfaces())) {
    for (const one of addresses ?? []) {
      const cidr = one.family === 'IPv4' && one.cidr ? parseCidr(one.cidr) : undefined
      if (cidr) used.push(cidr)
    }
  }
  // Interfaces without carrier (a bridge without containers) are missing above; their routes are here.
  const table = await readFile('/proc/net/route', 'utf8').catch(() => '')
  return [...used, ...parseRoutes(table)]
}

/** Destinations in the format of /proc/net/route, without the default route: everything overlaps that one. */
export function parseRoutes(table: string): Cidr[] {
  const found: Cidr[] = []
  for (const line of table.split('\n').slice(1)) {
    const [, destination, , , , , , mask] = line.split('\t')
    if (!destination || !mask) continue
    const prefix = bits(littleEndian(mask))
    if (prefix > 0) found.push({ base: littleEndian(destination), prefix })
  }
  return found
}

/** IPv4 addresses of this machine, loopback aside. */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((one) => one.family === 'IPv4' && !one.internal)
    .map((one) => one.address)
}

/** Own addresses that are in resolv.conf as name servers: functions ask them by way of this machine. */
export async function ownNameServers(): Promise<string[]> {
  const own = ownAddresses()
  const text = await readFile('/etc/resolv.conf', 'utf8').catch(() => '')
  return text
    .split('\n')
    .map((line) => /^\s*nameserver\s+([\d.]+)\s*$/.exec(line)?.[1])
    .filter((address): address is string => address !== undefined && own.includes(address))
}

function littleEndian(hex: string): number {
  return Buffer.from(hex, 'hex').readUInt32LE()
}

function bits(mask: number): number {
  let count = 0
  for (let rest = mask; rest !== 0; rest = (rest << 1) >>> 0) count++
  return count
}
