import { onServices } from '../http/on-services.ts'
import { deviceFlowSuite } from '../http/suites/device-flow.ts'

onServices(deviceFlowSuite)
