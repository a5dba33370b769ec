import { onServices } from '../http/on-services.ts'
import { uploadsSuite } from '../http/suites/uploads.ts'

onServices(uploadsSuite)
