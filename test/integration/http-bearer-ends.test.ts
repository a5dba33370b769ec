import { onServices } from '../http/on-services.ts'
import { bearerEndsSuite } from '../http/suites/bearer-ends.ts'

onServices(bearerEndsSuite)
