/** The address of an appliance as pools write it: `NAME:PORT`, never a scheme (docs/protocol/wlb.md, address). */
import { ApiFailure } from '../../xapi/index.js'

export interface WlbAddress {
  /** An IPv6 address comes without its brackets. */
  readonly host: string
  readonly port: number
}

const HIGHEST_PORT = 65_535

/**
 * Reads an address; what follows the port from a slash on does not matter.
 *
 * @throws ApiFailure WLB_URL_INVALID, with the text as given, when there is no host, or no port that is a number.
 */
export function parseWlbUrl(url: string): WlbAddress {
  const authority = url.split(/[/?#]/, 1)[0] ?? ''
  const found = /^(?:[^@]*@)?(?:\[(?<bracketed>[0-9A-Fa-f:.%]+)\]|(?<plain>[^:[\]@\s]+)):(?<port>\d{1,5})$/.exec(
    authority,
  )
  const host = found?.groups?.bracketed ?? found?.groups?.plain
  const port = Number(found?.groups?.port)
  if (host === undefined || port > HIGHEST_PORT) throw new ApiFailure('WLB_URL_INVALID', [url])
  return { host, port }
}
