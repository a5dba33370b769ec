import { bindingsSuite } from './suites/bindings.ts'

bindingsSuite('memory', {})
