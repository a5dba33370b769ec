/**
 * Loaded into a child before its script. Tells it where its packages are, since it may not look for them: where
 * node_modules holds links (pnpm, npm link), looking means to read folders that hold more than the interpreters.
 */
import { registerHooks } from 'node:module'

/** The arguments are `name=url`. */
const places = new Map(
  process.argv.slice(2).map((place) => {
    const at = place.indexOf('=')
    return [place.slice(0, at), place.slice(at + 1)]
  }),
)

registerHooks({
  resolve(specifier, context, next) {
    const url = places.get(specifier)
    return url === undefined ? next(specifier, context) : { url, shortCircuit: true }
  },
})
