import { provisioningSuite } from './suites/provisioning.ts'

provisioningSuite('memory', {})
