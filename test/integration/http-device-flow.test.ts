import { onServices } from '../http/on-services.ts'
import { deviceFlowSuite } from '../http/suites/device-flow.ts'
import { deviceGrantSuite } from '../http/suites/device-flow-grants.ts'

onServices(deviceFlowSuite, deviceGrantSuite)
