import { onServices } from '../http/on-services.ts'
import { oauthSuite } from '../http/suites/oauth.ts'

onServices(oauthSuite)
