import { onServices } from '../http/on-services.ts'
import { accountChangeSuite } from '../http/suites/account-change.ts'

onServices(accountChangeSuite)
