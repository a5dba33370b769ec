import { onServices } from '../http/on-services.ts'
import { provisioningSuite } from '../http/suites/provisioning.ts'

onServices(provisioningSuite)
