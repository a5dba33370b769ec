import { onServices } from '../http/on-services.ts'
import { bindingsSuite } from '../http/suites/bindings.ts'

onServices(bindingsSuite)
