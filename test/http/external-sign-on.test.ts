import { externalSignOnSuite } from './suites/external-sign-on.ts'

externalSignOnSuite('memory', {})
