import { consoleHardeningSuite } from './suites/console-hardening.ts'

consoleHardeningSuite('memory', {})
