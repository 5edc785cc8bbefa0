/** The path, size limit and names of the WLB service (docs/protocol/wlb.md). */

export const SERVICE_PATH = '/Citrix.Dwm.WorkloadBalance/Service'

/** Requests of pools are much smaller; a larger one is refused before it is read. */
export const BODY_LIMIT_BYTES = 262_144

export const SOAP_ACTION_PREFIX = 'http://schemas.citrix.com/DWM/IWorkloadBalance/'

export const NAMESPACES = {
  soap11: 'http://schemas.xmlsoap.org/soap/envelope/',
  soap12: 'http://www.w3.org/2003/05/soap-envelope',
  dwm: 'http://schemas.citrix.com/DWM',
  instance: 'http://www.w3.org/2001/XMLSchema-instance',
  arrays: 'http://schemas.microsoft.com/2003/10/Serialization/Arrays',
} as const
