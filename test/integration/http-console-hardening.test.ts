import { onServices } from '../http/on-services.ts'
import { consoleHardeningSuite } from '../http/suites/console-hardening.ts'

onServices(consoleHardeningSuite)
