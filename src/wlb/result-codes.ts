/**
 * The numbers a refusal may carry. A pool passes them through; a console translates exactly these and hides the message
 * of every other (docs/protocol/wlb.md, results).
 */

export interface ResultCode {
  readonly name: string
  readonly meaning: string
}

export const RESULT_CODES: Readonly<Record<number, ResultCode>> = {
  0: { name: 'None', meaning: 'success; left out of an answer' },
  5: { name: 'AccessDenied', meaning: 'the WLB credentials were not accepted; HTTP status 401 says it better' },
  6: { name: 'RBACPermissionDenied', meaning: 'the pool user logged in, but may not do what is needed' },
  4000: { name: 'Unknown', meaning: 'unknown' },
  4001: { name: 'CannotInitWmi', meaning: 'no session with the pool' },
  4002: { name: 'XenCannotLogIn', meaning: 'the pool refused the user name or the password' },
  4003: { name: 'XenCannotConnect', meaning: 'the pool could not be reached' },
  4004: { name: 'NullReference', meaning: 'the request element is missing' },
  4005: { name: 'RegistryKeyMissing', meaning: 'a registry key is missing' },
  4006: { name: 'NotImplemented', meaning: 'not offered here' },
  4007: { name: 'InvalidParameter', meaning: 'an argument is missing or unusable' },
  4008: { name: 'HyperVWmi', meaning: 'no pool data could be collected' },
  4009: { name: 'NotConfigured', meaning: 'the configuration is missing' },
  4010: { name: 'InvalidOperation', meaning: 'not possible now' },
  4011: { name: 'ArgumentOutOfRange', meaning: 'a value is out of range' },
  4012: { name: 'NotInitialized', meaning: 'the collector has not started' },
  4013: { name: 'CannotGetCollector', meaning: 'the collector cannot move or start VMs' },
  4014: { name: 'GenericException', meaning: 'any other failure' },
  4015: { name: 'UnknownPool', meaning: 'the pool is not registered here' },
  4016: { name: 'NoMetrics', meaning: 'no current metrics' },
  4017: { name: 'NoStorageRepositories', meaning: 'no host sees the storage needed' },
  4018: { name: 'NoFreeCpus', meaning: 'no free CPUs' },
  4019: { name: 'NoFreeMemory', meaning: 'no free memory' },
  4020: { name: 'NotLicensed', meaning: 'a host lacks the licence' },
  // The wire's name lost a "t" long ago.
  4021: { name: 'AuthenicationFailure', meaning: 'the stored pool credentials no longer work' },
  4022: { name: 'HostExcluded', meaning: 'the host is excluded from evacuation' },
  4023: { name: 'HostNotFound', meaning: 'the configuration names a host that is not in the pool' },
}
