import { onServices } from '../http/on-services.ts'
import { externalSignOnSuite } from '../http/suites/external-sign-on.ts'

onServices(externalSignOnSuite)
