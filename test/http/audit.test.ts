import { auditSuite } from './suites/audit.ts'

auditSuite('memory', {})
