/** Public API of lab: starts a pool on this machine, reports on it, breaks it on purpose, runs commands on its hosts, stops it. */
export { clearFaults, injectFault } from './faults/inject.js'
export { type FaultRow, listFaults } from './faults/table.js'
export { type LabFault, labFault } from './launcher/break-host.js'
export { passwordFile } from './launcher/lab-file.js'
export { type LabDocument, type LabUpOptions, labDown, labStatus, labUp } from './launcher/launcher.js'
export { labExec } from './launcher/shell.js'
