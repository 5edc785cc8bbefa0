/** Run before each file of tests: its first key is the run's first key, though files share a process. */
import { emptyCaches } from './rsa-keys.js'

emptyCaches()
