import { onServices } from '../http/on-services.ts'
import { layerZeroSuite } from '../http/suites/layer-zero.ts'

onServices(layerZeroSuite)
