/** What it takes to bring about a row of the catalogue of failures that lies on the appliance's side. */

export interface FaultStage {
  /** Holds the appliance and the lab. */
  readonly root: string
  readonly now: Date
  readonly host?: string
}

export interface ApplianceFault {
  readonly row: number
  inject(stage: FaultStage): Promise<void>
}
