/** A row of the failure catalogue that can be brought about on purpose: what every injector is given, and what it is. */

export interface FaultStage {
  readonly root: string
  readonly now: Date
  readonly host?: string
}

export interface ApplianceFault {
  readonly row: number
  inject(stage: FaultStage): Promise<void>
}
