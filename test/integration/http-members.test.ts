import { onServices } from '../http/on-services.ts'
import { membersSuite } from '../http/suites/members.ts'

onServices(membersSuite)
