/**
 * Who may know whom. A room may import the rooms on its list, itself, and the ground every room stands on:
 * the files directly in src/. Everything else is a wrong arrow.
 */
const allowed = {
  x509: [],
  tls: ['x509'],
  xapi: ['tls', 'x509'],
  wlb: [],
  balance: [],
  history: ['xapi', 'balance'],
  appliance: ['x509', 'tls', 'xapi', 'wlb', 'balance', 'history'],
  trust: ['x509', 'tls', 'xapi', 'appliance'],
  lab: ['x509', 'tls', 'xapi', 'wlb', 'appliance'],
  console: ['x509', 'tls', 'xapi', 'wlb', 'balance', 'history', 'appliance', 'trust', 'lab'],
  cli: ['x509', 'tls', 'xapi', 'wlb', 'balance', 'history', 'appliance', 'trust', 'lab', 'console'],
}

module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'ground-knows-no-room', severity: 'error', from: { path: '^src/[^/]+$' }, to: { path: '^src/[^/]+/' } },
    ...Object.entries(allowed).map(([room, others]) => ({
      name: `${room}-knows-only-${others.join('-') || 'the-ground'}`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: { path: '^src/[^/]+/', pathNot: `^src/(${[room, ...others].join('|')})/` },
    })),
    {
      name: 'pure-rooms-touch-nothing',
      severity: 'error',
      from: { path: '^src/(wlb|balance)/' },
      to: {
        path: '^(node:)?(fs|net|tls|http|https|child_process|dgram|dns|os|process|timers)(/|$)',
        dependencyTypes: ['core'],
      },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
  },
}
