import { onServices } from '../http/on-services.ts'
import { importsSuite } from '../http/suites/imports.ts'

onServices(importsSuite)
