/** How often a bench measures: as often as it says, or once where only its working is asked (test/bench.test.ts). */
export function rounds(usual: number): number {
  return process.env.OPENWLB_BENCH_ONCE === undefined ? usual : 1
}
