/** Fixed values of `xe`'s parameters, and the commands that list the others. */

/** Files of this machine. */
export const FILE_KEYS: readonly string[] = [
  'filename',
  'file-name',
  'license-file',
  'certificate',
  'certificate-chain',
  'private-key',
]

/** Objects that a key names by their label, and their class. */
export const NAMED_OBJECTS: Readonly<Record<string, string>> = {
  vm: 'vm',
  host: 'host',
  on: 'host',
  sr: 'sr',
  'sr-name-label': 'sr',
  template: 'template',
}

/** `KEY-uuid` where the class is not called KEY. */
export const OTHER_CLASSES: Readonly<Record<string, string>> = {
  'into-vdi': 'vdi',
  'base-vdi': 'vdi',
  'vdi-from': 'vdi',
  'vdi-to': 'vdi',
}

const DAYS = 'monday tuesday wednesday thursday friday saturday sunday'
const EVENT_CLASSES = 'vm vdi sr host network vif pif vbd pbd pool task subject role secret vmss'

type Row = readonly [commands: RegExp, key: string, values: string, several?: 'several']

const FIXED: readonly Row[] = [
  [/^pif-reconfigure-ip$/, 'mode', 'dhcp static none'],
  [/^pif-reconfigure-ipv6$/, 'mode', 'dhcp static none autoconf'],
  [/^vif-configure-ipv[46]$/, 'mode', 'static none'],
  [/^bond-(set-mode|create)$/, 'mode', 'balance-slb active-backup lacp'],
  [/^pif-set-primary-address-type$/, 'primary_address_type', 'ipv4 ipv6'],
  [/^vbd-/, 'type', 'Disk CD'],
  [/^vdi-/, 'type', 'system user suspend crashdump'],
  [/^vmss-/, 'type', 'snapshot checkpoint snapshot_with_quiesce'],
  [/^vmss-/, 'frequency', 'hourly daily weekly'],
  [/^vmss-/, 'schedule:days', DAYS, 'several'],
  [/./, 'level', 'debug info warning error'],
  [/./, 'locking-mode', 'network_default locked unlocked disabled'],
  [/./, 'default-locking-mode', 'unlocked disabled'],
  [/./, 'allocation-algorithm', 'depth-first breadth-first'],
  [/^host-get-system-status$/, 'output', 'tar.bz2 zip'],
  [/^sdn-controller-introduce$/, 'protocol', 'ssl'],
  [/^tunnel-create$/, 'protocol', 'gre vxlan'],
  [/./, 'role-name', 'pool-admin pool-operator vm-power-admin vm-admin vm-operator read-only'],
  [/./, 'update-sync-frequency', 'daily weekly'],
  [/^vm-group-create$/, 'placement', 'normal anti-affinity'],
  [/^event-wait$/, 'class', EVENT_CLASSES],
  [/^pool-install-trusted-certificate$/, 'ca', 'true false'],
  [/^pool-install-trusted-certificate$/, 'purpose', 'licensing ldaps', 'several'],
  [/^(?!.*-list$)/, 'force', 'true false'],
]

const LISTED: readonly Row[] = [
  [/./, 'default-SR', 'sr-list --minimal params=uuid'],
  [/./, 'crash-dump-SR', 'sr-list --minimal params=uuid'],
  [/./, 'suspend-image-SR', 'sr-list --minimal params=uuid'],
  [/./, 'copy-bios-strings-from', 'host-list --minimal params=uuid'],
  [/./, 'edition', 'host-all-editions --minimal'],
  [/^sr-/, 'type', 'sm-list --minimal params=type'],
  [/^vm-cd-(add|insert)$/, 'cd-name', 'cd-list --minimal params=name-label'],
  [/./, 'pif-uuids', 'pif-list --minimal', 'several'],
  [/./, 'ignore-vdi-uuids', 'vdi-list --minimal', 'several'],
]

export interface KnownValues {
  readonly values: readonly string[]
  /** Commas between. */
  readonly several: boolean
}

export function fixedValues(command: string, key: string): KnownValues | undefined {
  return rowFor(FIXED, command, key)
}

/** The call of `xe` that lists the values. */
export function listingOf(command: string, key: string): KnownValues | undefined {
  return rowFor(LISTED, command, key)
}

function rowFor(table: readonly Row[], command: string, key: string): KnownValues | undefined {
  const row = table.find(([commands, of]) => of === key && commands.test(command))
  return row && { values: row[2].split(' '), several: row[3] === 'several' }
}
