/** This machine's IP addresses that its certificate may carry. */
import { networkInterfaces } from 'node:os'

/** The address itself, or this machine's where it means all of them; those that only mean something on one link left out. */
export function ownAddresses(address: string): readonly string[] {
  if (address !== '0.0.0.0' && address !== '::') return [address]
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((own) => !own.internal && !own.address.startsWith('fe80:'))
    .map((own) => own.address)
}
