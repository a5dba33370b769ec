import { deviceFlowSuite } from './suites/device-flow.ts'

deviceFlowSuite('memory', {})
