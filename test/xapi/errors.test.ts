import { expect, it } from 'vitest'
import { API_ERRORS, ApiFailure, isRegistered, renderApiFailure } from '../../src/xapi/index.js'

const cases: [code: string, params: string[], lines: string[]][] = [
  ['CERTIFICATE_DOES_NOT_EXIST', ['wlb.pem'], ['The specified certificate does not exist.', 'name: wlb.pem']],
  ['CERTIFICATE_LIBRARY_CORRUPT', [], ['The certificate library is corrupt or unreadable.']],
  ['WLB_INTERNAL_ERROR', ['4007', ''], ['WLB reported an internal error.', '<extra>: 4007', '<extra>: ']],
  ['UUID_INVALID', ['pool'], ['The uuid you supplied was invalid.', 'type: pool', 'uuid: <unknown>']],
  [
    'HOST_OFFLINE',
    ['OpaqueRef:2'],
    ['You attempted an operation which involves a host which could not be contacted.', 'host: 3c9e (host2)'],
  ],
  [
    'HOST_IS_SLAVE',
    ['10.0.0.1'],
    [
      'You cannot make regular API calls directly on a supporter. Please pass API calls via the coordinator host.',
      'Master IP address: 10.0.0.1',
    ],
  ],
  ['CA_CERTIFICATE_INVALID', [], ['Error code: CA_CERTIFICATE_INVALID', 'Error parameters: ']],
  ['CA_CERTIFICATE_EXPIRED', ['a', 'b'], ['Error code: CA_CERTIFICATE_EXPIRED', 'Error parameters: a, b']],
  ['NEVER_HEARD_OF', ['x'], ['Error code: NEVER_HEARD_OF', 'Error parameters: x']],
  ['constructor', [], ['Error code: constructor', 'Error parameters: ']],
]

it.each(cases)('%s %j', (code, params, lines) => {
  const describeRef = (value: string) => (value === 'OpaqueRef:2' ? '3c9e (host2)' : undefined)
  expect(renderApiFailure(new ApiFailure(code, params), describeRef)).toEqual(lines)
})

it('knows which codes have no text', () => {
  const bare = Object.keys(API_ERRORS).filter((code) => !isRegistered(code))
  expect(bare).toEqual(['CA_CERTIFICATE_INVALID', 'CA_CERTIFICATE_NOT_VALID_YET', 'CA_CERTIFICATE_EXPIRED'])
  expect(isRegistered('toString')).toBe(false)
})
