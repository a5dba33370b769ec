import type { Json } from '#domain/app.ts'
import { NodeFailure } from '../nodes/node-executor.ts'
import type { VariablePool } from './variable-pool.ts'
import { weightOf } from './weight.ts'

const meters = new WeakMap<VariablePool, { readonly chars: number; left: number }>()

/**
 * The same pool for one execution, which may take in `chars` characters through it: a template of a few kilobytes can
 * name a long variable a thousand times.
 */
export function metered(pool: VariablePool, chars: number): VariablePool {
  const view = new Proxy(pool, {})
  meters.set(view, { chars, left: chars })
  return view
}

/** Notes that a node takes so much in. @throws NodeFailure when it is more than it may */
export function takeIn(pool: VariablePool, chars: number): void {
  const meter = meters.get(pool)
  if (meter === undefined) return
  meter.left -= chars
  if (meter.left < 0) {
    throw new NodeFailure('VariableSizeError', `the node takes in more than ${meter.chars} characters`)
  }
}

/** Notes a value that a node takes in, and gives it. @throws NodeFailure as `takeIn` */
export function takenIn<V extends Json | undefined>(pool: VariablePool, value: V): V {
  takeIn(pool, weightOf(value))
  return value
}
