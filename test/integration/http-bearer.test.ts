import { onServices } from '../http/on-services.ts'
import { bearerSuite } from '../http/suites/bearer.ts'

onServices(bearerSuite)
