import { accountChangeSuite } from './suites/account-change.ts'

accountChangeSuite('memory', {})
