/** What can be wrong with the lab. Failures that its pool reports to clients are `ApiFailure`, with xapi's codes. */
import { dirname } from 'node:path'
import { defineErrors } from '../base/error.js'
import { shell } from '../base/text/quote-word.js'
import { layoutOf } from './host/host-files.js'

/** As large as a pool may be. */
export const MOST_HOSTS = 64
/** Twice what a pool of that size usually runs. */
export const MOST_VMS = 4096
export const MOST_SEED = 2 ** 31 - 1
/** A day in less than half a minute. */
export const MOST_SPEED = 3600

const readHostLog = ({ root }: { readonly root: unknown }) => shell`tail ${layoutOf(String(root)).log}`

export const labErrors = defineErrors({
  COMMAND_NOT_FOUND: {
    message: 'The command could not be started.',
    facts: ['command'],
    remedy: 'wlb lab exec --help',
  },
  LAB_COORDINATOR_DOWN: {
    message: 'The coordinator of the lab does not run, and its records are needed.',
    facts: ['root'],
    remedy: 'wlb lab up',
  },
  LAB_FAULT_CERTIFICATE_UNFIT: {
    message: ({ expected }) => `With the certificate that is served the name would not be ${expected}.`,
    facts: ['name', 'certificate', '(expected)'],
    remedy: 'wlb cert show',
  },
  LAB_FAULT_CONNECTED_BY_ADDRESS: {
    message: 'The fault is about a name, and the pool connects by address.',
    facts: ['address'],
    remedy: 'wlb lab fault clear',
  },
  LAB_FAULT_HOST_UNFIT: {
    message: ({ where }) =>
      `That fault cannot be injected there. ${where === 'pool' ? 'It belongs to the pool as a whole, and to no host of it.' : 'It belongs to a member.'}`,
    facts: ['host', '(where)'],
    remedy: 'wlb lab fault list',
  },
  LAB_FAULT_NEEDS_AUTHORITY: {
    message:
      'The fault needs a certificate that an authority has issued, with the intermediate where the row speaks of one.',
    facts: [],
    remedy: 'wlb ca create',
  },
  LAB_FAULT_NO_RECORDS: {
    message: 'The pool has no record of an installed certificate.',
    facts: [],
    remedy: 'wlb lab exec xs1 -- xe pool-certificate-list',
  },
  LAB_FAULT_NOT_CONNECTED: {
    message: 'The fault needs a pool that is connected to an appliance which answers.',
    facts: [],
    remedy: 'wlb lab exec xs1 -- xe pool-initialize-wlb',
  },
  LAB_FAULT_NOTHING_INSTALLED: {
    message: 'The pool has no certificate installed that the fault could be about.',
    facts: [],
    remedy: 'wlb lab status',
  },
  LAB_FAULT_REFUSED: {
    message: 'The pool has refused the call that brings the fault about.',
    facts: ['error'],
    remedy: 'wlb lab status',
  },
  LAB_FAULT_ROW_UNKNOWN: {
    message: 'No fault of that number can be injected.',
    facts: ['row', 'known'],
    remedy: 'wlb lab fault list',
  },
  LAB_FAULT_VARIANT_UNKNOWN: {
    message: 'The fault has no such form.',
    facts: ['row', 'variant', 'known'],
    remedy: 'wlb lab fault list',
  },
  LAB_HOST_FAILED: {
    message: 'A host of the lab did not start.',
    facts: ['root', 'reason'],
    remedy: readHostLog,
  },
  LAB_HOST_UNKNOWN: {
    message: 'The lab has no such host.',
    facts: ['host', 'hosts'],
    remedy: 'wlb lab status',
  },
  LAB_LOAD_AMBIGUOUS: {
    message: 'Several machines of the lab have that name; a UUID says which one is meant.',
    facts: ['name', 'uuids'],
    remedy: 'wlb lab vms',
  },
  LAB_LOAD_TOO_MUCH: {
    message: 'A machine cannot use more processors than it has; a host means the processors of its control domain.',
    facts: ['name', 'cpu', 'most'],
    remedy: 'wlb lab vms',
  },
  LAB_LOAD_UNKNOWN: {
    message: 'The lab has no virtual machine and no host of that name.',
    facts: ['name'],
    remedy: 'wlb lab vms',
  },
  LAB_NO_ADDRESS: {
    message: 'No free addresses in 127.0.0.0/8 were found for the hosts of the lab.',
    facts: ['hosts', 'blocksTried'],
    remedy: 'ss -ltn',
  },
  LAB_NOT_FOUND: {
    message: 'There is no lab in this folder.',
    facts: ['root'],
    remedy: 'wlb lab up',
  },
  LAB_NOT_WRITABLE: {
    message: 'The folder of the lab cannot be used.',
    facts: ['folder', 'reason'],
    remedy: ({ folder }) => shell`df -h ${dirname(String(folder))}; ls -ld ${dirname(String(folder))}`,
  },
  LAB_NUMBER_INVALID: {
    message: ({ option, least, most }) => `--${option} is a whole number from ${least} to ${most}.`,
    facts: ['(option)', 'given', '(least)', '(most)'],
    remedy: 'wlb lab up --help',
  },
  LAB_OTHERWISE: {
    message: ({ option }) =>
      `There is a lab here already, made with another --${option}; another one needs another folder.`,
    facts: ['(option)', 'was', 'asked', 'root'],
    remedy: 'wlb lab up --root DIR',
  },
  LAB_SIZE_DIFFERS: {
    message: 'There is a lab here already, of another size; another one needs another folder.',
    facts: ['hosts', 'asked', 'root'],
    remedy: 'wlb lab up --root DIR',
  },
  LAB_SIZE_INVALID: {
    message: `A lab has between 1 and ${MOST_HOSTS} hosts.`,
    facts: ['hosts'],
    remedy: 'wlb lab up --hosts 3',
  },
  LAB_STAND_IN_FAILED: {
    message: 'The stand-in for the appliance did not do what was asked of it.',
    facts: ['folder', 'why'],
    remedy: ({ folder }) => shell`tail ${folder}/stand-in.log`,
  },
  LAB_TIMEOUT: {
    message: 'A host of the lab took too long.',
    facts: ['waitedFor', 'root', 'waitedMs'],
    remedy: readHostLog,
  },
  LAB_TRACE_UNREADABLE: {
    message:
      'The trace of a load cannot be read: each line is a name and 288 percentages, one for each five minutes of a day.',
    facts: ['file', 'line', 'reason'],
    remedy: ({ file }) => shell`head -c 300 ${String(file)}`,
  },
  PORT_IN_USE: {
    message: 'Another program listens on the address and port this host of the lab needs.',
    facts: ['address', 'port'],
    remedy: ({ port }) => shell`ss -ltnp sport = :${port}`,
  },
})
export const { fail } = labErrors
