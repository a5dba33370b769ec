import { onServices } from '../http/on-services.ts'
import { consoleSuite } from '../http/suites/console.ts'

onServices(consoleSuite)
