/** The kinds of load the generator makes: days and nights, bursts, hardly any change. */
export const LOAD_KINDS = ['diurnal', 'bursty', 'flat'] as const
export type LoadKind = (typeof LOAD_KINDS)[number]
