/** A pool in a box: brought up, looked at, broken on purpose, used from the inside, taken down. */
export { type LabFault, labFault } from './fault.js'
export { clearFaults, type FaultRow, injectFault, listFaults } from './faults/index.js'
export { passwordFile } from './lab-file.js'
export { type LabDocument, type LabUpOptions, labDown, labStatus, labUp } from './launcher.js'
export { labExec } from './shell.js'
