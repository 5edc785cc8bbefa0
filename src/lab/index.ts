/** Public API of lab: a pool in a box, brought up, looked at, broken on purpose, used from the inside, taken down. */
export { clearFaults, injectFault } from './faults/inject.js'
export { type FaultRow, listFaults } from './faults/table.js'
export { type LabFault, labFault } from './launcher/break-host.js'
export { passwordFile } from './launcher/lab-file.js'
export { type LabDocument, type LabUpOptions, labDown, labStatus, labUp } from './launcher/launcher.js'
export { labExec } from './launcher/shell.js'
