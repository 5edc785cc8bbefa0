/** One cause why a connection between pool and appliance fails, or only seems fine. */
import type { Blame, Severity } from '../finding.js'

export interface Cause {
  /** Its number in the catalogue; 0 for what was added to it. */
  readonly row: number
  readonly code: string
  /** A few words. */
  readonly title: string
  readonly severity: Severity
  readonly blame: Blame
  /** What the pool answers while it lasts, or what of it is seen there. */
  readonly poolSays: string
  /** How the doctor sees it, or why it does not. */
  readonly seenBy: string
  /** Commands as they are typed, with capitals for what is to be filled in. */
  readonly remedy: string
}

type Description = Omit<Cause, 'row' | 'code' | 'title'>

/** Makes a row of the catalogue from what it shares with its neighbours and what is its own. */
export function cause<Shared extends Partial<Description>>(
  row: number,
  code: string,
  title: string,
  shared: Shared,
  own: Omit<Description, keyof Shared> & Partial<Description>,
): Cause {
  return { row, code, title, ...shared, ...own } as Cause // `own` has every field that `shared` lacks
}

export const verifyError = (text: string): string => `SSL_VERIFY_ERROR: Pre-verification error: ${text}`
/** On the appliance, or wherever the pool is reached from; without FILE where the root is served as well. */
export const INSTALL_ROOT = 'wlb trust apply --goal ca ROOT.pem --pool NAME'
const IN_PLACE = '/etc/ssl/certs/server.pem --key /etc/ssl/certs/server.key'
export const INSTALL_AGAIN = `wlb cert install ${IN_PLACE}`
export const INSTALL_WITH_ISSUER = `wlb cert install INTERMEDIATE.pem ${IN_PLACE}`
/** On a host that has the file. */
export const ANEW =
  'cp /etc/stunnel/certs/NAME.pem NAME.pem && xe pool-uninstall-ca-certificate name=NAME.pem; xe pool-install-ca-certificate filename=NAME.pem; xe pool-certificate-sync'
export const NEW_CERTIFICATE = 'wlb cert request'
export const RECONNECT =
  'xe pool-initialize-wlb wlb_url=FQDN:8012 wlb_username=USER wlb_password=PASSWORD xenserver_username=USER xenserver_password=PASSWORD'
/** On the coordinator: what is no certificate in PEM leaves the folder that the bundle is built from. */
export const SET_BROKEN_ASIDE =
  'for file in /etc/stunnel/certs/*.pem; do openssl x509 -noout -in "$file" || mv "$file" /etc/stunnel/; done; xe pool-certificate-sync'
export const SYNC = 'xe pool-certificate-sync'
export const LOOK_AT_SERVER = 'openssl s_client -connect HOST:8012 -tls1_2 -curves secp384r1 </dev/null'
