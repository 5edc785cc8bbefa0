/** What a pool's TLS client offers, and nothing beside it (docs/protocol/pool.md). */
export const POOL_TLS = {
  version: 'TLSv1.2',
  /** Both need an RSA key. */
  ciphers: ['ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES128-GCM-SHA256'],
  curve: 'secp384r1',
} as const
