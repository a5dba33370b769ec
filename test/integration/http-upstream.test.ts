import { onServices } from '../http/on-services.ts'
import { upstreamSuite } from '../http/suites/upstream.ts'

onServices(upstreamSuite)
