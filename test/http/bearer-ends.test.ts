import { bearerEndsSuite } from './suites/bearer-ends.ts'

bearerEndsSuite('memory', {})
