import { membersSuite } from './suites/members.ts'

membersSuite('memory', {})
