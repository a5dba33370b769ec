import { onServices } from '../http/on-services.ts'
import { catalogueSuite } from '../http/suites/catalogue.ts'

onServices(catalogueSuite)
