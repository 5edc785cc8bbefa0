/** What xcp-rrdd measures of a virtual disk, and of all disks of a storage repository together (rrdp_iostat.ml). */
import { absolute, amount, fraction, gauge, rate, type ValuedSource } from './round-robin.js'

/** Bytes a second. */
export interface DiskTraffic {
  readonly read: number
  readonly write: number
}

const REQUEST_BYTES = 16_384
const MEBIBYTE = 1_048_576
/** Microseconds a request takes on an idle disk, and how much longer for each byte a second. */
const IDLE_LATENCY = 280
const LATENCY_PER_BYTE = 4e-6

/** `nameOf` makes the name of a source from the name of what is measured. */
export function diskSources<Facts>(
  nameOf: (what: string) => string,
  trafficOf: (facts: Facts) => DiskTraffic,
): ValuedSource<Facts>[] {
  const source = (
    make: (name: string, value: (facts: Facts) => number) => ValuedSource<Facts>,
    what: string,
    value: (traffic: DiskTraffic) => number,
  ): ValuedSource<Facts> => make(nameOf(what), (facts) => value(trafficOf(facts)))
  return [
    source(rate, 'read', ({ read }) => amount(read)),
    source(rate, 'write', ({ write }) => amount(write)),
    source(gauge, 'read_latency', ({ read }) => amount(latency(read))),
    source(gauge, 'write_latency', ({ write }) => amount(latency(write))),
    source(absolute, 'io_throughput_read', ({ read }) => fraction(read / MEBIBYTE)),
    source(absolute, 'io_throughput_write', ({ write }) => fraction(write / MEBIBYTE)),
    source(absolute, 'io_throughput_total', (traffic) => fraction(total(traffic) / MEBIBYTE)),
    source(absolute, 'iops_read', ({ read }) => amount(read / REQUEST_BYTES)),
    source(absolute, 'iops_write', ({ write }) => amount(write / REQUEST_BYTES)),
    source(absolute, 'iops_total', (traffic) => amount(total(traffic) / REQUEST_BYTES)),
    source(absolute, 'iowait', (traffic) => fraction(waiting(traffic))),
    source(gauge, 'inflight', (traffic) => fraction(waiting(traffic))),
    source(gauge, 'latency', (traffic) => amount(latency(total(traffic) / 2))),
    source(gauge, 'avgqu_sz', (traffic) => fraction(waiting(traffic))),
  ]
}

function total({ read, write }: DiskTraffic): number {
  return read + write
}

function latency(bytes: number): number {
  return IDLE_LATENCY + bytes * LATENCY_PER_BYTE
}

/** Seconds of waiting for each second. */
function waiting(traffic: DiskTraffic): number {
  return ((total(traffic) / REQUEST_BYTES) * IDLE_LATENCY) / 1e6
}
