import dgram from 'node:dgram'
import dns from 'node:dns'
import { constants } from 'node:fs'
import net from 'node:net'

/** Linear memory of one interpreter. */
const MAX_WASM_BYTES = 512 * 1024 * 1024
const WASM_PAGE_BYTES = 64 * 1024

/**
 * Takes from this process what `--permission` leaves it: the network, other processes, memory without end. Pyodide is
 * no sandbox: code that finds its way from Python to JavaScript must find nothing there. Cannot be undone.
 */
export function closeDoors(): void {
  nail(net.Socket.prototype, ['connect'])
  nail(net.Server.prototype, ['listen'])
  nail(dgram.Socket.prototype, ['bind', 'connect', 'send'])
  // A name that is looked up can carry a secret out.
  for (const resolver of [dns, dns.promises, dns.Resolver.prototype, dns.promises.Resolver.prototype]) {
    nail(resolver, functionsOf(resolver))
  }
  nail(process, ['kill', '_kill', 'dlopen', '_debugProcess', '_debugEnd', '_linkedBinding', 'getBuiltinModule'])
  // Pyodide asks for these numbers, and dies when the permission model refuses them.
  nail(process, ['binding'], () => ({ fs: constants }))
  nail(globalThis, ['fetch', 'WebSocket', 'EventSource'])
  capMemory()
}

type Memory = { readonly buffer: ArrayBuffer; grow(pages: number): number }
// Node has it, but its types come with a browser's.
const { WebAssembly } = globalThis as unknown as { WebAssembly: { Memory: { prototype: Memory } } }

function capMemory(): void {
  const { prototype } = WebAssembly.Memory
  const { grow } = prototype
  nail(prototype, ['grow'], function capped(this: Memory, pages) {
    const size = this.buffer.byteLength + Number(pages) * WASM_PAGE_BYTES
    if (size > MAX_WASM_BYTES) throw new RangeError('out of memory')
    return grow.call(this, Number(pages))
  })
}

function functionsOf(owner: object): readonly string[] {
  return Object.getOwnPropertyNames(owner).filter(
    (name) => name !== 'constructor' && typeof Reflect.get(owner, name) === 'function',
  )
}

function refuse(): never {
  throw new Error('not allowed here')
}

function nail(
  owner: object,
  names: readonly string[],
  value: (this: never, ...given: readonly unknown[]) => unknown = refuse,
): void {
  for (const name of names) Object.defineProperty(owner, name, { value, writable: false, configurable: false })
}
