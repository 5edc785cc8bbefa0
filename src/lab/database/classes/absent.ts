/**
 * The classes of the data model of which the lab has no objects: clients ask for them all the same, and are told that there are none. Their
 * fields have no type here, as there is nothing to hold.
 */
import { type ApiField, field } from '../field.js'

const ABSENT: readonly (readonly [className: string, fields: string])[] = [
  ['subject', 'subject_identifier other_config roles'],
  ['role', 'name_label name_description subroles is_internal'],
  ['user', 'short_name fullname other_config'],
  [
    'pool_patch',
    'name_label name_description version size pool_applied host_patches after_apply_guidance pool_update other_config',
  ],
  [
    'pool_update',
    'name_label name_description version installation_size key after_apply_guidance vdi hosts other_config enforce_homogeneity',
  ],
  ['VMPP', 'name_label name_description is_policy_enabled backup_type VMs'],
  ['VMSS', 'name_label name_description enabled type retained_snapshots frequency schedule last_run_time VMs'],
  ['VM_appliance', 'name_label name_description allowed_operations current_operations VMs'],
  ['DR_task', 'introduced_SRs'],
  ['host_crashdump', 'host timestamp size other_config'],
  ['host_patch', 'name_label name_description version host applied timestamp_applied size pool_patch other_config'],
  ['VIF_metrics', 'io_read_kbs io_write_kbs last_updated other_config'],
  ['VBD_metrics', 'io_read_kbs io_write_kbs last_updated other_config'],
  ['Bond', 'master slaves other_config primary_slave mode properties links_up auto_update_mac'],
  ['VLAN', 'tagged_PIF untagged_PIF tag other_config'],
  ['tunnel', 'access_PIF transport_PIF status other_config protocol'],
  ['network_sriov', 'physical_PIF logical_PIF requires_reboot configuration_mode'],
  [
    'SM',
    'name_label name_description type vendor copyright version required_api_version configuration capabilities features other_config driver_filename required_cluster_stack',
  ],
  ['crashdump', 'VM VDI other_config'],
  ['VTPM', 'allowed_operations current_operations VM backend persistence_backend is_unique is_protected'],
  ['console', 'protocol location VM other_config'],
  ['blob', 'name_label name_description size public last_updated mime_type'],
  [
    'PCI',
    'class_name vendor_name device_name host pci_id dependencies other_config subsystem_vendor_name subsystem_device_name driver_name',
  ],
  [
    'PGPU',
    'PCI GPU_group host other_config supported_VGPU_types enabled_VGPU_types resident_VGPUs supported_VGPU_max_capacities dom0_access is_system_display_device compatibility_metadata',
  ],
  [
    'GPU_group',
    'name_label name_description PGPUs VGPUs GPU_types other_config allocation_algorithm supported_VGPU_types enabled_VGPU_types',
  ],
  [
    'VGPU',
    'VM GPU_group device currently_attached other_config type resident_on scheduled_to_be_resident_on compatibility_metadata extra_args PCI',
  ],
  [
    'VGPU_type',
    'vendor_name model_name framebuffer_size max_heads max_resolution_x max_resolution_y supported_on_PGPUs enabled_on_PGPUs VGPUs supported_on_GPU_groups enabled_on_GPU_groups implementation identifier experimental compatible_types_in_vm',
  ],
  ['PVS_site', 'name_label name_description PVS_uuid cache_storage servers proxies'],
  ['PVS_server', 'addresses first_port last_port site'],
  ['PVS_proxy', 'site VIF currently_attached status'],
  ['PVS_cache_storage', 'host SR site size VDI'],
  ['Feature', 'name_label name_description enabled experimental version host'],
  ['SDN_controller', 'protocol address port'],
  [
    'PUSB',
    'USB_group host path vendor_id vendor_desc product_id product_desc serial version description other_config passthrough_enabled speed',
  ],
  ['USB_group', 'name_label name_description PUSBs VUSBs other_config'],
  ['VUSB', 'allowed_operations current_operations VM USB_group other_config currently_attached'],
  [
    'Cluster',
    'cluster_hosts pending_forget cluster_token cluster_stack cluster_stack_version is_quorate quorum live_hosts expected_hosts allowed_operations current_operations pool_auto_join token_timeout token_timeout_coefficient cluster_config other_config',
  ],
  [
    'Cluster_host',
    'cluster host enabled PIF joined live last_update_live allowed_operations current_operations other_config',
  ],
  ['Repository', 'name_label name_description binary_url source_url update hash gpgkey_path origin certificate'],
  ['Observer', 'name_label name_description hosts attributes endpoints components enabled'],
  ['Host_driver', 'host name friendly_name type description info active_variant selected_variant variants'],
  ['Driver_variant', 'name driver version hardware_present priority status'],
]

export const ABSENT_CLASSES: readonly (readonly [className: string, fields: readonly ApiField[]])[] = ABSENT.map(
  ([className, names]) => [
    className,
    ['uuid', ...names.split(' ')].map((name) => field(name, 'string', 'RO', { wireOnly: true })),
  ],
)
