import { importsSuite } from './suites/imports.ts'

importsSuite('memory', {})
