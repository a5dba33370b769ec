import { onServices } from '../http/on-services.ts'
import { auditSuite } from '../http/suites/audit.ts'

onServices(auditSuite)
