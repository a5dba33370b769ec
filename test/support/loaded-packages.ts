import { writeSync } from 'node:fs'
import { registerHooks } from 'node:module'

// Preloaded by a test (`node --import`): tells at the end, on standard error, which packages the process has loaded.
const packages = new Set<string>()
registerHooks({
  load(url, context, next) {
    const [, name] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? []
    if (name !== undefined) packages.add(name)
    return next(url, context)
  },
})
process.once('exit', () => writeSync(2, `loaded ${JSON.stringify([...packages])}\n`))
