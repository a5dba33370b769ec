import { onServices } from '../http/on-services.ts'
import { appAccessSuite } from '../http/suites/app-access.ts'

onServices(appAccessSuite)
