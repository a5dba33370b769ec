import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A TCP proxy before a real server, to take that server away without stopping it for others. */
export type CuttingProxy = {
  readonly port: number
  /** Swallows what clients send from now on: a server that accepts and says nothing. */
  silence(): void
  /** Keeps back what clients send until `flow`: a server that stands still, and then does all of it. */
  stall(): void
  flow(): void
  /** Lets everything that passes from now on, either way, take so much longer; 0 ends that. */
  delay(ms: number): void
  /** Drops every connection; new ones are taken at once. */
  drop(): void
  /** Leads new connections to another server. */
  aim(target: string): void
  /** Drops every connection and refuses new ones. */
  cut(): Promise<void>
  /** Listens again, on the same port. */
  mend(): Promise<void>
  /**
   * Keeps back what the server says on any connection from the moment a client has sent `text` there. The server has
   * done its work by then; its client does not know yet.
   */
  hold(text: string): Held
}

export type Held = {
  /** Resolves when the first answer is being kept back. */
  readonly caught: Promise<void>
  /** Passes on everything that was kept back, and holds no more. */
  release(): void
}

type Hold = { readonly text: string; readonly catch: () => void; readonly kept: (() => void)[] }

/** Passes bytes on to `target` until told otherwise. */
export async function openCuttingProxy(target: string): Promise<CuttingProxy> {
  let far = new URL(target)
  const sockets = new Set<Socket>()
  let isSilent = false
  let delayMs = 0
  let stalled: (() => void)[] | null = null
  let hold: Hold | null = null
  const server = createServer((near) => {
    const there = connect(Number(far.port), far.hostname)
    let heldBy: Hold | null = null
    for (const socket of [near, there]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    }
    near.on('data', (bytes) => {
      if (isSilent) return
      if (hold !== null && bytes.includes(hold.text)) heldBy = hold
      const pass = () => void there.write(bytes)
      if (stalled === null) later(pass)
      else stalled.push(pass)
    })
    there.on('data', (bytes) => {
      const pass = () => void near.write(bytes)
      if (heldBy === null || heldBy !== hold) return later(pass)
      heldBy.kept.push(pass)
      heldBy.catch()
    })
    near.on('close', () => there.destroy())
    there.on('close', () => near.destroy())
  })
  /** One queue, whatever the delay was when each came: bytes that overtake others would be another stream. */
  const waiting: { readonly dueMs: number; readonly pass: () => void }[] = []
  let isWaiting = false
  function later(pass: () => void): void {
    waiting.push({ dueMs: delayMs === 0 ? 0 : performance.now() + delayMs, pass })
    if (!isWaiting) passDue()
  }
  function passDue(): void {
    const nowMs = performance.now()
    while (waiting[0] !== undefined && waiting[0].dueMs <= nowMs) waiting.shift()?.pass()
    isWaiting = waiting[0] !== undefined
    if (waiting[0] !== undefined) setTimeout(passDue, Math.ceil(waiting[0].dueMs - nowMs))
  }
  async function listen(at: number): Promise<number> {
    server.listen(at, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port // a TCP server's address is never a path
  }
  const port = await listen(0)
  return {
    port,
    silence: () => {
      isSilent = true
    },
    stall: () => {
      stalled ??= []
    },
    flow() {
      const kept = stalled ?? []
      stalled = null
      for (const pass of kept) pass()
    },
    delay: (ms) => {
      delayMs = ms
    },
    drop: () => {
      for (const socket of sockets) socket.destroy()
    },
    aim: (next) => {
      far = new URL(next)
    },
    async cut() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
    async mend() {
      isSilent = false
      await listen(port)
    },
    hold(text) {
      const { promise: caught, resolve } = Promise.withResolvers<void>()
      const own: Hold = { text, catch: resolve, kept: [] }
      hold = own
      return {
        caught,
        release() {
          hold = null
          for (const pass of own.kept.splice(0)) pass()
        },
      }
    },
  }
}
