import { deviceFlowSuite } from './suites/device-flow.ts'
import { deviceGrantSuite } from './suites/device-flow-grants.ts'

deviceFlowSuite('memory', {})
deviceGrantSuite('memory', {})
