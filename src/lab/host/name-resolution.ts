/** Names as one host of the lab knows them: its own etc/hosts and `localhost`, nothing else. */
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'

/** Makes a resolver that reads the file each time, so that an edit counts at once. Names are compared without case. */
export function resolveByHostsFile(path: string): (name: string) => Promise<string | undefined> {
  return async (name) => {
    if (isIP(name)) return name
    const text = await readFile(path, 'utf8').catch(() => '')
    return findAddress(text, name)
  }
}

/** The first line that has the name wins, as in the system's own file. */
export function findAddress(hostsFile: string, name: string): string | undefined {
  const wanted = name.toLowerCase().replace(/\.$/, '')
  for (const line of hostsFile.split('\n')) {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (address && isIP(address) && names.some((known) => known.toLowerCase() === wanted)) return address
  }
  return wanted === 'localhost' ? '127.0.0.1' : undefined
}
