/** What is asked of the product, a sentence a number; test/requirements.ts names the tests that decide each. */

/** `both`: some of it on the appliance, some on the pool's hosts. `later`: it belongs to commands that do not exist yet. */
export type Side = 'appliance' | 'pool' | 'both' | 'later'

export interface Requirement {
  readonly id: string
  readonly statement: string
  readonly decidedBy: Side
  /** What no test decides yet, where tests decide the rest. */
  readonly missing?: string
}

export interface Section {
  readonly title: string
  readonly requirements: readonly Requirement[]
}

const sections: Readonly<Record<string, readonly [id: string, decidedBy: Side, statement: string][]>> = {
  'Transport and defaults': [
    ['S1', 'appliance', 'The port speaks TLS only; plain HTTP is given no answer of the service.'],
    ['S2', 'appliance', 'Set-up makes an RSA key of 2048 bits or more and a certificate that it signs with SHA-256.'],
    ['S3', 'both', 'With verification off a pool connects right after set-up, and nobody touched a certificate.'],
    ['S4', 'appliance', 'While the self-signed certificate serves, status says that it stands in for a real one.'],
    ['S5', 'appliance', 'Status names the command that leads to a certificate of an authority.'],
    ['S6', 'both', 'The pool is the TLS client and the one who verifies; the appliance is the TLS server.'],
    ['S7', 'pool', 'A pool of the lab starts with verification on and refuses an appliance it does not know.'],
    ['S8', 'pool', 'Where verification fails, not a byte of a request is sent.'],
    ['S9', 'appliance', 'The private key stays on the appliance: no command prints it, none copies it elsewhere.'],
    ['S10', 'pool', 'The trust store of a host holds certificates and revocation lists, and no key.'],
    ['S11', 'both', 'Each defect of a certificate that a pool refuses is refused, for the reason that a pool gives.'],
    ['S12', 'pool', 'A failed verification ends it: no second attempt that verifies less.'],
    ['S13', 'both', 'Certificates, keys, bundle and revocation lists lie where pools and tools look for them.'],
  ],
  'The self-signed certificate': [
    ['S14', 'both', 'With the self-signed certificate the host name verifies and the address does not.'],
    ['S15', 'appliance', 'The self-signed certificate speaks for the host name; a change of that name is noticed.'],
    ['S16', 'appliance', 'server.pem can be handed out: a copy is the certificate byte for byte, without a key.'],
    ['S17', 'both', 'Both sides show the SHA-256 fingerprint in one form, and the two are compared.'],
    ['S18', 'both', 'A certificate that is fetched is saved in the working directory unless told otherwise.'],
    ['S19', 'pool', 'The old and the new command for installing a certificate do the same.'],
    ['S20', 'pool', 'The list shows the file name of every installed certificate, and nothing before the first.'],
    ['S21', 'pool', 'After a sync every host holds what the coordinator holds, certificates and revocation lists.'],
    ['S22', 'pool', 'A sync that worked prints nothing and exits with 0.'],
    ['S23', 'pool', 'Switching verification on while a host lacks the certificate is refused or warned of.'],
    ['S24', 'pool', 'Verification is switched with one command, and read back as it was set.'],
    ['S25', 'pool', 'Completion offers the identifier of the pool.'],
    ['S26', 'pool', 'Members list the same certificates as the coordinator.'],
    ['S27', 'pool', 'The state of verification is printed as true or false and nothing else.'],
  ],
  'A certificate from an authority': [
    ['S28', 'appliance', 'Files of an authority are read for what they are; what cannot be used is named.'],
    ['S29', 'both', 'Request, install and trust are separate steps that can be left and taken up again.'],
    ['S30', 'pool', 'Which host is the coordinator is verified before it is changed.'],
    ['S31', 'both', 'Whether hosts can resolve the name of the appliance is found out beforehand.'],
    ['S32', 'appliance', 'Key and request are made on the appliance itself.'],
    ['S33', 'appliance', 'The common name is the full host name; another one is refused unless insisted on.'],
    ['S34', 'appliance', 'The common name is compared with the address that pools connect to.'],
    ['S35', 'appliance', 'An address may be a SAN; that pools do not look at it is known and said.'],
    ['S36', 'appliance', 'A key that OpenSSL made with a passphrase and DES3 is accepted.'],
    ['S37', 'appliance', 'The passphrase is taken off on the way: what is installed is never encrypted.'],
    ['S38', 'appliance', 'A wrong passphrase leaves nothing behind, and the next attempt works.'],
    ['S39', 'appliance', 'OpenSSL verifies the request, which is saved as csr.'],
    [
      'S40',
      'appliance',
      'Every field of the subject can be given; the country is two letters; the unit may stay away.',
    ],
    ['S41', 'appliance', 'Challenge password and company name may be given or left out.'],
    ['S42', 'appliance', 'The request is shown, ready to be copied.'],
    ['S43', 'appliance', 'Leaf, intermediates and root are told apart whatever the order of the files.'],
    ['S44', 'appliance', 'Files that went through Windows or come from any folder are read.'],
    ['S45', 'appliance', 'server.pem holds leaf, intermediates and root in that order; intermediates may be none.'],
    ['S46', 'appliance', 'The pair before is kept, can be gone back to, and outlives the next installation.'],
    ['S47', 'appliance', 'Certificate and key take their places together or not at all.'],
    ['S48', 'appliance', 'The key belongs to its owner alone before it has any content.'],
    ['S49', 'appliance', 'What is served is what lies on disk within seconds; a failure brings the old pair back.'],
    ['S50', 'pool', 'The certificates of the authority are brought to the coordinator, or the commands for it shown.'],
    ['S51', 'pool', 'Root and intermediate are installed one by one; a file that holds both is refused.'],
    ['S52', 'pool', 'The list shows root and intermediate.'],
    ['S53', 'pool', 'A sync brings them to every host.'],
    ['S54', 'pool', 'Verification is switched on as before.'],
    ['S55', 'both', 'Every new connection is verified afresh.'],
    ['S56', 'pool', 'A pool that has to connect again, because it knows an address only, is recognised.'],
    ['S57', 'both', 'With verification on, the full host name connects and the address does not.'],
  ],
  Troubleshooting: [
    ['S58', 'pool', 'Whether verification is on by default is written down and shown.'],
    ['S59', 'pool', 'The pool’s identifier can be listed.'],
    ['S60', 'pool', 'Switching verification off helps where certificates were the cause, and only there.'],
    ['S61', 'both', 'Certificate, credentials and network are told apart without switching verification off.'],
    ['S62', 'appliance', 'Common TLS tools can examine the port, whatever its number.'],
    ['S63', 'both', 'Certificate, host name, configured address and DNS are compared with each other.'],
    ['S64', 'both', 'Both procedures run from beginning to end on a pool of three, and every fault is diagnosed.'],
  ],
  'Balancing, operation and other clients': [
    ['S65', 'later', 'Pools connect, pause, resume and disconnect through every client they have.'],
    ['S66', 'later', 'Every live host gets a rating for a VM, and a reason where it gets none.'],
    ['S67', 'later', 'Advice has reasons and can be applied as a whole.'],
    ['S68', 'later', 'A host can be emptied by plan.'],
    ['S69', 'later', 'Two aims, and a weekly schedule between them.'],
    ['S70', 'later', 'Six thresholds, four bands each.'],
    ['S71', 'later', 'Six weights.'],
    ['S72', 'later', 'Hosts can be left out in four ways.'],
    ['S73', 'later', 'Automation waits for count, severity, aggressiveness and interval.'],
    ['S74', 'later', 'Only hosts whose power was tested are switched, and on only those it switched off.'],
    ['S75', 'later', 'The coordinator is the last choice.'],
    ['S76', 'later', 'Automation never breaks high availability.'],
    ['S77', 'later', 'VMs that cannot move stay.'],
    ['S78', 'later', 'History outlives restarts, is groomed, and moves to a new appliance.'],
    ['S79', 'later', 'Ten reports and the diagnostics, through the pool’s own commands.'],
    ['S80', 'later', 'Alerts have levels.'],
    ['S81', 'appliance', 'The appliance warns before its own certificate expires.'],
    ['S82', 'later', 'Port, credentials, name and size can change; the log can tell more, and never a credential.'],
    ['S83', 'later', 'A thousand VMs fit two processors and 2 GB.'],
    ['S84', 'later', 'A second appliance for the same pool is noticed.'],
    ['S85', 'both', 'The difference between the clocks of pool and appliance is measured.'],
  ],
}

/** Tests decide some of these, and this is missing. */
const partly: Readonly<Record<string, string>> = {}

export const SECTIONS: readonly Section[] = Object.entries(sections).map(([title, rows]) => ({
  title,
  requirements: rows.map(([id, decidedBy, statement]) => {
    const missing = partly[id]
    return { id, decidedBy, statement, ...(missing !== undefined && { missing }) }
  }),
}))

/** Decided by the appliance, and no test names them yet: test/traceability.test.ts lets this list become shorter only. */
export const UNTESTED: readonly string[] = []
