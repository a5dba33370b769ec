import { upstreamSuite } from './suites/upstream.ts'

upstreamSuite('memory', {})
