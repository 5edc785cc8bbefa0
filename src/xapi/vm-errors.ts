/** What a pool says when VMs, hosts and storage do not do what was asked: code, names of the parameters, text (datamodel_errors.ml). */
export const VM_ERRORS: readonly (readonly [code: string, params: string, text: string])[] = [
  [
    'VM_BAD_POWER_STATE',
    'vm expected actual',
    "You attempted an operation on a VM that was not in an appropriate power state at the time; for example, you attempted to start a VM that was already running. The parameters returned are the VM's handle, and the expected and actual VM state at the time of the call.",
  ],
  ['VM_IS_TEMPLATE', 'vm', 'The operation attempted is not valid for a template VM'],
  ['VM_NO_SUSPEND_SR', 'vm', 'This VM does not have a suspend SR specified.'],
  ['VM_HVM_REQUIRED', 'vm', 'HVM is required for this operation'],
  ['VM_LACKS_FEATURE', 'vm', 'You attempted an operation on a VM which lacks the feature.'],
  [
    'VM_HAS_PCI_ATTACHED',
    'vm',
    'This operation could not be performed, because the VM has one or more PCI devices passed through.',
  ],
  [
    'VM_HOST_INCOMPATIBLE_VIRTUAL_HARDWARE_PLATFORM_VERSION',
    'host host_versions vm vm_version',
    "You attempted to run a VM on a host that cannot provide the VM's required Virtual Hardware Platform version.",
  ],
  ['VM_MIGRATE_FAILED', 'vm source destination msg', 'An error occurred during the migration process.'],
  [
    'VM_REQUIRES_SR',
    'vm sr',
    "You attempted to run a VM on a host which doesn't have access to an SR needed by the VM. The VM has at least one VBD attached to a VDI in the SR.",
  ],
  [
    'VM_REQUIRES_NETWORK',
    'vm network',
    "You attempted to run a VM on a host which doesn't have a PIF on a Network needed by the VM. The VM has at least one VIF attached to the Network.",
  ],
  [
    'VM_REQUIRES_GPU',
    'vm GPU_group',
    "You attempted to run a VM on a host which doesn't have a pGPU available in the GPU group needed by the VM. The VM has a vGPU attached to this GPU group.",
  ],
  [
    'HOST_NOT_ENOUGH_FREE_MEMORY',
    'needed available',
    'Not enough server memory is available to perform this operation.',
  ],
  [
    'HOST_NOT_ENOUGH_PCPUS',
    'vcpus pcpus',
    'The host does not have enough pCPUs to run the VM. It needs at least as many as the VM has vCPUs.',
  ],
  ['HOST_DISABLED', 'host', 'The specified server is disabled.'],
  [
    'HOST_NOT_DISABLED',
    '',
    'This operation cannot be performed because the host is not disabled. Please disable the host and then try again.',
  ],
  ['HOST_NOT_LIVE', '', 'This operation cannot be completed as the server is not live.'],
  ['HOST_IS_LIVE', 'host', 'This operation cannot be completed because the server is still live.'],
  [
    'HOST_POWER_ON_MODE_DISABLED',
    '',
    'This operation cannot be completed because the server power on mode is disabled.',
  ],
  ['NO_HOSTS_AVAILABLE', '', 'There were no servers available to complete the specified operation.'],
  ['NOT_SUPPORTED_DURING_UPGRADE', '', 'This operation is not supported during an upgrade.'],
  ['INTERFACE_HAS_NO_IP', 'interface', 'The specified interface cannot be used because it has no IP address'],
  ['VDI_NOT_IN_MAP', 'vdi', 'This VDI was not mapped to a destination SR in VM.migrate_send operation'],
  [
    'CANNOT_CREATE_STATE_FILE',
    '',
    'An HA statefile could not be created, perhaps because no SR with the appropriate capability was found.',
  ],
  [
    'CLUSTERED_SR_DEGRADED',
    'sr',
    'An SR is using clustered local storage. It is not safe to reboot a host at the moment.',
  ],
  ['EVENTS_LOST', '', 'Some events have been lost from the queue and cannot be retrieved.'],
  [
    'EVENT_FROM_TOKEN_PARSE_FAILURE',
    'token',
    "The event.from token could not be parsed. Valid values include: '', and a value returned from a previous event.from call.",
  ],
  [
    'SESSION_NOT_REGISTERED',
    'handle',
    'This session is not registered to receive events. You must call event.register before event.next. The session handle you are using is echoed.',
  ],
  ['TASK_CANCELLED', 'task', 'The request was asynchronously canceled.'],
]
