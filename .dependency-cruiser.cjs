/**
 * Which room may import which: only rooms further down this list, and itself (docs/architecture.md). A room is a folder
 * of src/; nothing stands beside the rooms.
 */
const rooms = [
  'cli',
  'console',
  'lab',
  'server',
  'reports',
  'automation',
  'trust',
  'collect',
  'identity',
  'authority',
  'ssh',
  'config',
  'store',
  'balance',
  'xapi',
  'wlb',
  'tls',
  'x509',
  'base',
]
/** No input or output, so that the same input always gives the same answer. */
const pure = ['balance', 'wlb']

module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'every-file-in-a-room',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: `^src/(${rooms.join('|')})/` },
    },
    ...rooms.map((room, index) => ({
      name: `${room}-imports-downwards-only`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: { path: '^src/', pathNot: `^src/(${rooms.slice(index).join('|')})/` },
    })),
    {
      name: 'pure-rooms-touch-nothing',
      severity: 'error',
      from: { path: `^src/(${pure.join('|')})/` },
      to: {
        path: '^(node:)?(fs|net|tls|http|https|child_process|dgram|dns|os|process|timers)(/|$)',
        dependencyTypes: ['core'],
      },
    },
    {
      name: 'load-and-archives-of-the-lab-touch-nothing',
      severity: 'error',
      from: { path: '^src/lab/vms/(load|archives)/' },
      to: { path: '^src/', pathNot: '^src/(base|lab/vms/(load|archives)|lab/errors)' },
    },
    {
      name: 'balance-knows-nothing-of-ours',
      severity: 'error',
      from: { path: '^src/balance/' },
      to: { path: '^src/(?!balance/)' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
  },
}
